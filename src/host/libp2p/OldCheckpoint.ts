import { Effect, Ref } from "effect"
import type { Block, Head } from "../../domain/network/Block.ts"
import { type ChainParameters, epochOf, epochStart, type SlotRange } from "../../domain/network/Chain.ts"
import type { Checkpoint } from "../../domain/peer/Claim.ts"
import type { Epoch, Root } from "../../domain/Primitives.ts"
import type { ExternsError } from "../Externs.ts"

/** Whom the chain is asked of. */
export interface CheckpointSource {
  /** The epoch of the finalized checkpoint, in the state of the head. */
  readonly finalized: Effect.Effect<{ readonly epoch: Epoch }, ExternsError>
  readonly blocks: (range: SlotRange) => Effect.Effect<ReadonlyArray<Block>, ExternsError>
}

/** The finalized checkpoint that we tell of ourselves. */
export interface OldCheckpoint {
  readonly current: Effect.Effect<Checkpoint>
  /** Looks whether it is to be another one, as of this head. */
  readonly refresh: (head: Head) => Effect.Effect<void>
}

/**
 * A checkpoint that is on the chain, and two epochs older than what is final. To a peer that is as far as we are, or one
 * epoch late, we are behind, and no source of anything; to say the checkpoint of genesis would do that too, but Grandine
 * bans for it, and one that is much older is not known to a node that began its chain at a checkpoint.
 */
export const makeOldCheckpoint = (chain: ChainParameters, source: CheckpointSource): Effect.Effect<OldCheckpoint> =>
  Effect.gen(function* () {
    const told = yield* Ref.make(ofGenesis)
    /** Finality moves with the first block of an epoch: it is asked once for each epoch of the head, or a few times. */
    let asked = { epoch: -1, times: 0, isDone: false }

    const rootOf = Effect.fnUntraced(function* (epoch: Epoch) {
      const slot = epochStart(chain, epoch)
      for (const [from, to] of steps) {
        if (slot < from) break
        const blocks = yield* source.blocks({ start: Math.max(0, slot - to), end: slot - from })
        const last = blocks.at(-1)
        if (last !== undefined) return last.root
      }
      return undefined
    })

    const look = Effect.gen(function* () {
      const wanted = toldEpoch((yield* source.finalized).epoch)
      const { epoch } = yield* Ref.get(told)
      if (wanted === epoch) return
      if (wanted === 0) return yield* Ref.set(told, ofGenesis)
      const root: Root | undefined = yield* rootOf(wanted)
      if (root === undefined) {
        return yield* Effect.logDebug(`our status keeps its checkpoint: no block before epoch ${wanted} was found`)
      }
      yield* Ref.set(told, { epoch: wanted, root })
    })

    return {
      current: Ref.get(told),
      refresh: (head) =>
        Effect.suspend(() => {
          const epoch = epochOf(chain, head.slot)
          if (asked.epoch !== epoch) asked = { epoch, times: 0, isDone: false }
          if (asked.isDone || asked.times >= tries) return Effect.void
          asked.times++
          return Effect.matchEffect(look, {
            onSuccess: () => Effect.sync(() => (asked.isDone = true)),
            onFailure: ({ message }) => Effect.logDebug(`our status keeps its checkpoint: ${message}`)
          })
        })
    }
  })

/** Of what is final in this epoch. While nothing is final but genesis, everyone says so. */
const toldEpoch = (finalized: Epoch): Epoch => (finalized === 0 ? 0 : Math.max(1, finalized - 2))

const ofGenesis: Checkpoint = { epoch: 0, root: `0x${"00".repeat(32)}` }

/** Times that the chain is asked in one epoch. */
const tries = 4

/** Slots back from the first of an epoch in which its block is looked for: most often it is there. */
const steps: ReadonlyArray<readonly [number, number]> = [
  [0, 0],
  [1, 8],
  [9, 64]
]
