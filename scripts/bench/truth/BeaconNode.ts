import { Duration, Effect, Layer, PubSub, Schedule, Stream } from "effect"
import type { Block, ChainEvent, Head } from "../../../src/domain/network/Block.ts"
import { slotAt, type SlotRange } from "../../../src/domain/network/Chain.ts"
import type { ClaimParts } from "../../../src/domain/peer/ClaimParts.ts"
import type { PeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import type { RequestError } from "../../../src/domain/probe/Outcome.ts"
import { Externs, ExternsError } from "../../../src/host/Externs.ts"
import { makeBlock, type SimulatedBlock, type TrueChain } from "./TrueChain.ts"

/** What our own beacon node gets wrong, and when. */
export interface NodeTrouble {
  /** `branch`: it follows a chain of its own. `slot`: it says something else of one slot, that links to nothing. */
  readonly kind: "unreachable" | "behind" | "branch" | "empty slot" | "slot"
  /** Unix milliseconds. */
  readonly from: number
  readonly until: number
  /** The slot that it is about; of a branch the first one. */
  readonly slot: number
}

/** The chain as our own beacon node tells of it: a few seconds late, and now and then wrong for a while. */
export const makeBeaconNode = Effect.fnUntraced(function* (
  truth: TrueChain,
  troubles: ReadonlyArray<NodeTrouble>,
  peerRefresh: (peer: PeerAddress) => Effect.Effect<Omit<ClaimParts, "nodeId">, RequestError>
) {
  const { parameters } = truth
  const hub = yield* PubSub.unbounded<ChainEvent>()
  const branches = new Map<string, SimulatedBlock>()
  const active = (kind: NodeTrouble["kind"]): NodeTrouble | undefined => {
    const at = truth.now()
    return troubles.find((trouble) => trouble.kind === kind && at >= trouble.from && at < trouble.until)
  }

  const onBranch = (seed: number, slot: number, parentRoot: string): SimulatedBlock => {
    const key = `${seed} ${slot}`
    const known = branches.get(key)
    if (known !== undefined) return known
    const made = makeBlock(seed, slot, 0xbb, parentRoot)
    branches.set(key, made)
    return made
  }

  /** The blocks of its own branch link to each other, and the first of them to the true chain. */
  const branchBlock = (first: number, slot: number): SimulatedBlock =>
    onBranch(
      first,
      slot,
      slot === first ? (truth.lastBlock(slot - 1, heard())?.root ?? "0x") : branchBlock(first, slot - 1).root
    )

  const heard = (): number => truth.now() - delayMs

  const blockAt = (slot: number): SimulatedBlock | undefined => {
    const branch = active("branch")
    if (branch !== undefined && slot >= branch.slot) return branchBlock(branch.slot, slot)
    if (active("empty slot")?.slot === slot) return undefined
    if (active("slot")?.slot === slot) return onBranch(-slot, slot, truth.blockAt(slot - 1, heard())?.root ?? "0x")
    return truth.blockAt(slot, heard())
  }

  const headNow = (): Head => {
    const newest = slotAt(parameters, active("behind")?.from ?? heard())
    for (let slot = newest; slot > newest - 256; slot--) {
      const block = blockAt(slot)
      if (block !== undefined) return { slot, root: block.root }
    }
    throw new Error("no block in 256 slots")
  }

  const answering = <A>(operation: string, answer: () => A): Effect.Effect<A, ExternsError> =>
    Effect.suspend(() =>
      active("unreachable") === undefined
        ? Effect.delay(Effect.sync(answer), latencyMs)
        : new ExternsError({ operation, reason: "connection refused" })
    )

  const blocks = ({ end, start }: SlotRange): ReadonlyArray<Block> => {
    const found: Array<Block> = []
    for (let slot = start; slot <= end; slot++) {
      const block = blockAt(slot)
      if (block !== undefined) found.push(block)
    }
    return found
  }

  /** A node on a branch of its own finalizes that after a while. */
  const finalized = (): ChainEvent => {
    const { epoch, root } = truth.finalizedAt(heard())
    const branch = active("branch")
    const slot = epoch * parameters.slotsPerEpoch
    return {
      _tag: "Finalized",
      epoch,
      root: branch !== undefined && slot >= branch.slot ? branchBlock(branch.slot, slot).root : root
    }
  }

  const isTold = (): boolean => active("unreachable") === undefined
  let told: Head = { slot: -1, root: "" }
  let wasOnBranch = false
  const tell = Effect.gen(function* () {
    truth.growTo(slotAt(parameters, truth.now()))
    if (!isTold()) return
    const head = headNow()
    if (head.root === told.root) return
    const isReorg = told.slot >= 0 && blockAt(told.slot)?.root !== told.root
    const isOnBranch = active("branch") !== undefined
    const depth = isOnBranch === wasOnBranch ? depths.ordinary : depths.branch
    if (isReorg) yield* PubSub.publish(hub, { _tag: "Reorg", slot: Math.max(head.slot, told.slot), depth })
    told = head
    wasOnBranch = isOnBranch
    yield* PubSub.publish(hub, { _tag: "Head", head })
    yield* PubSub.publish(hub, finalized())
  })
  yield* Effect.forkScoped(Effect.repeat(tell, Schedule.spaced(Duration.seconds(2))))

  return Layer.succeed(
    Externs,
    Externs.of({
      chain: parameters,
      peerRefresh,
      chainQuery: (range) => answering(`blocks ${range.start}..${range.end}`, () => blocks(range)),
      chainHead: answering("head", headNow),
      chainEvents: Stream.unwrapScoped(
        Effect.map(Stream.fromPubSub(hub, { scoped: true }), (events) =>
          Stream.concat(
            Stream.suspend(() => Stream.make<Array<ChainEvent>>({ _tag: "Head", head: headNow() }, finalized())),
            events
          )
        )
      )
    })
  )
})

/** How much later than everybody our node hears of a block. */
const delayMs = 3_000
const latencyMs = 50
/** What it says of a reorg is deep enough to hold all that may have changed. */
const depths = { ordinary: 8, branch: 512 }
