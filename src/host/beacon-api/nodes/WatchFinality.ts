import { Effect, Option } from "effect"
import type { Checkpoint } from "../../../domain/peer/Claim.ts"
import { Doubts } from "../../../runtime/Doubts.ts"
import { type Agreement, compareFinality, type FinalizedBlock, type FinalizedChain } from "./CompareFinality.ts"
import type { Member } from "./Member.ts"

/** Checkpoints that are remembered of a node; it may be away meanwhile, and is still held to them. */
const keptCheckpoints = 16

/**
 * Holds what a node has finalized against what every other one has, whenever it is told. Two nodes that have finalized
 * different blocks are on different chains, and nothing here tells which is the right one: until they agree again nobody
 * is accused (`beacon_finality`).
 */
export const makeWatchFinality = Effect.fnUntraced(function* (members: ReadonlyArray<Member>) {
  const doubts = yield* Doubts
  const chains = members.map(({ node }): FinalizedChain & { checkpoints: ReadonlyArray<FinalizedBlock> } => ({
    node,
    checkpoints: []
  }))
  /** By the two places; what is not known leaves the last word standing. */
  const disagreeing = new Set<string>()

  const learn = Effect.fnUntraced(function* (place: number, { epoch, root }: Checkpoint) {
    const chain = chains[place]
    const newest = chain?.checkpoints.at(-1)
    if (chain === undefined || (newest?.epoch === epoch && newest.root === root && Option.isSome(newest.slot))) return
    const header = Option.flatten(yield* Effect.option(chain.node.header(root)))
    const told = { epoch, root, slot: Option.map(header, ({ slot }) => slot) }
    // What it says anew of an epoch, and of all after it, counts: it may have been synced again.
    chain.checkpoints = [...chain.checkpoints.filter((one) => one.epoch < epoch), told].slice(-keptCheckpoints)
  })

  const tell = Effect.suspend(() => {
    const [pair] = disagreeing
    return doubts.set("beacon_finality", Option.map(Option.fromNullable(pair), describe))
  })

  const describe = (pair: string): string =>
    `${pair} have finalized different blocks, so one of them is on a chain of its own: nobody is accused until they agree; ` +
    "find out which one is wrong (ask others for the block root), and sync it anew or take it out of the configuration"

  const heed = Effect.fnUntraced(function* (one: number, other: number, agreement: Agreement) {
    const [a, b] = [chains[one], chains[other]]
    const pair = `the beacon nodes ${nameOf(members[one])} and ${nameOf(members[other])}`
    if (a === undefined || b === undefined || agreement === "unknown") return
    if (agreement === "agree") {
      if (disagreeing.delete(pair)) yield* Effect.logInfo(`${pair} have finalized the same chain again`)
      return
    }
    if (disagreeing.has(pair)) return
    disagreeing.add(pair)
    yield* Effect.logError(`two beacon nodes have finalized different chains: ${saidBy(a)}; ${saidBy(b)}`)
  })

  return (member: Pick<Member, "place">, checkpoint: Checkpoint): Effect.Effect<void> =>
    Effect.gen(function* () {
      // Nodes give the genesis block different names there.
      if (checkpoint.epoch === 0) return
      yield* learn(member.place, checkpoint)
      for (let other = 0; other < chains.length; other++) {
        const [one, two] = [Math.min(other, member.place), Math.max(other, member.place)]
        const [a, b] = [chains[one], chains[two]]
        if (one !== two && a !== undefined && b !== undefined) yield* heed(one, two, yield* compareFinality(a, b))
      }
      yield* tell
    })
})

/** Without its address: `/readyz` tells everyone. */
const nameOf = (member: Member | undefined): string =>
  member?.role === "main" ? `${member.place + 1}` : "of backfill.beacon_api"

const saidBy = ({ checkpoints, node }: FinalizedChain): string =>
  `${node.name} has ${checkpoints
    .slice(-3)
    .map(({ epoch, root }) => `${root} in epoch ${epoch}`)
    .join(", ")}`
