import { Effect } from "effect"
import { fromHex } from "../../domain/Bytes.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { type DevBlock, encodeSidecar, makeBlock, type Sidecar, sidecarOf } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import { flipped } from "./Corrupting.ts"
import { honest } from "./Honest.ts"
import type { Profile, Push } from "./Profile.ts"

/** Honest, and far away: it pushes its columns from one to two slots late, and keeps all of them. */
export const lateGossip: Profile = {
  ...honest,
  depart: () => Effect.succeed({ push: (_, usual) => usual.map((push) => ({ ...push, at: push.at + slotsLate })) })
}

const slotsLate = 1

/** Dishonest: pushes every column that it claims when it comes, and keeps none of them. */
export const gossipOnly: Profile = {
  ...honest,
  depart: () => Effect.succeed({ stored: Effect.succeed(() => false) })
}

/**
 * Dishonest in gossip alone, and keeps what it claims: of every block it pushes one sidecar besides that is wrong, on a topic that
 * somebody is on. In turn it is one of another subnet, one whose cell its proof does not fit, one that the proposer has not
 * signed, and one of a slot that is yet to come.
 */
export const badGossip: Profile = {
  ...honest,
  depart: (_, { chain, random }) =>
    Effect.sync(() => {
      let turn = 0
      return {
        push: (block, usual, isHeard) => {
          const heard = [...block.published].filter(isHeard)
          const topic = heard[random.below(heard.length)]
          if (topic === undefined) return usual
          const wrong = faults[turn++ % faults.length]?.(chain, block, topic)
          return wrong === undefined ? usual : [...usual, wrong]
        }
      }
    })
}

const faults: ReadonlyArray<(chain: DevChain, block: DevBlock, topic: number) => Push> = [
  (chain, block, topic) => pushed(topic, block, sidecarOf(chain.pool, block, (topic + 1) % numberOfColumns)),
  (chain, block, topic) => {
    const sound = sidecarOf(chain.pool, block, topic)
    return pushed(topic, block, {
      ...sound,
      column: sound.column.map((cell, row) => (row === 0 ? flipped(cell) : cell))
    })
  },
  (chain, block, topic) => {
    const sound = sidecarOf(chain.pool, block, topic)
    const { message, signature } = sound.signedBlockHeader
    const other = signature.with(95, (signature[95] ?? 0) ^ 1)
    return pushed(topic, block, { ...sound, signedBlockHeader: { message, signature: other } })
  },
  (chain, block, topic) => {
    const { blobs, blockHash, root } = block
    const future = makeBlock(chain.parameters, chain.pool, {
      seed: chain.seed,
      slot: block.slot + slotsAhead,
      parentRoot: fromHex(root),
      parentHash: blockHash,
      variant: "future",
      blobs
    })
    return pushed(topic, future, sidecarOf(chain.pool, future, topic))
  }
]

/** Before the sound one of that column is there, so that it is not taken for a copy of what is known. */
const pushed = (topic: number, { fork }: DevBlock, sidecar: Sidecar): Push => ({
  topic,
  at: pushedAt,
  message: () => encodeSidecar(fork, sidecar)
})

const pushedAt = 0.04
const slotsAhead = 8
