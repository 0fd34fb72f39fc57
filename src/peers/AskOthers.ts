import { Effect, Layer, Random, Schedule, Stream } from "effect"
import { dropOldest, setNewest } from "../domain/Bounded.ts"
import type { Event } from "../domain/Event.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import { EventBus } from "../events/EventBus.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Peers } from "./Peers.ts"

/** A block of which a peer lacks columns that it owes. */
interface Lacked {
  readonly peerId: PeerId
  readonly slot: Slot
  readonly root: Root
  readonly columns: ReadonlyArray<number>
}

/**
 * Has others asked, once for each block, when a peer that is not known to lie left out something of it: those who owe the
 * same columns first. What they have or lack says whether these were published at all (`Publication`), before anyone is
 * accused. Peers have turns, so that one that lacks everything leaves room for the others; what does not come to its turn is
 * judged without.
 */
export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const bus = yield* EventBus
    const peers = yield* Peers
    /** By who lacks it, the newest of each. */
    const waiting = new Map<PeerId, ReadonlyArray<Lacked>>()
    const asked = new Map<Root, true>()

    const note = (lacked: Lacked): void => {
      if (asked.has(lacked.root)) return
      const before = (waiting.get(lacked.peerId) ?? []).filter(({ root }) => root !== lacked.root)
      waiting.set(lacked.peerId, [...before, lacked].slice(-mostOfPeer))
      dropOldest(waiting, mostPeers)
    }

    /** The next of whoever waited longest for its turn. */
    const next = (): Lacked | undefined => {
      for (const [peerId, blocks] of waiting) {
        const [first, ...others] = blocks.filter(({ root }) => !asked.has(root))
        waiting.delete(peerId)
        if (others.length > 0) waiting.set(peerId, others)
        if (first !== undefined) return first
      }
      return undefined
    }

    const askOthers = Effect.gen(function* () {
      const lacked = next()
      if (lacked === undefined) return
      setNewest(asked, lacked.root, true, mostAsked)
      const all = peers.views()
      if (all.some(({ peerId, verdict }) => peerId === lacked.peerId && verdict === "violating")) return
      const others = yield* Random.shuffle(
        all.filter((peer) => peer.peerId !== lacked.peerId && mayKnow(peer, lacked.slot))
      )
      yield* Effect.forEach(
        [...others].sort((a, b) => owedOf(b, lacked) - owedOf(a, lacked)).slice(0, mostOthers),
        ({ custody, peerId }) =>
          Effect.gen(function* () {
            const own = custody?.columns ?? []
            const same = own.filter((column) => lacked.columns.includes(column))
            const rest = yield* Random.shuffle(own.filter((column) => !lacked.columns.includes(column)))
            const columns = [...same.slice(0, mostSame), ...rest].slice(0, mostColumns)
            // Whoever cannot be asked now says nothing of the block: others do, or it is judged without.
            yield* Effect.ignore(peers.ask(peerId, { slot: lacked.slot, columns, purpose: "availability" }))
          }),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.timeoutOption(askLimit))
    })

    const listen = Stream.runForEach(Stream.unwrap(bus.subscribe), (event) =>
      Effect.sync(() => lackedIn(event).forEach(note))
    )
    yield* daemon("listening for what peers lack", listen)
    yield* daemon("asking others about what a peer lacks", askOthers, Schedule.spaced("500 millis"))
  })
)

/** The blocks of a probe that a peer was chosen for, of which it lacked something. */
const lackedIn = (event: Event): ReadonlyArray<Lacked> => {
  if (event._tag !== "Sampling" || event.probe.purpose !== "sampling") return []
  const blocks = new Map<Root, { readonly slot: Slot; readonly columns: Array<number> }>()
  for (const { blockRoot, column, outcome, slot, suspicion } of event.probe.outcomes) {
    if (outcome !== "suspected" || (suspicion !== "missing" && suspicion !== "unavailable")) continue
    const block = blocks.get(blockRoot) ?? { slot, columns: [] }
    block.columns.push(column)
    blocks.set(blockRoot, block)
  }
  return [...blocks].map(([root, block]) => ({ ...block, root, peerId: event.probe.job.peerId }))
}

const mayKnow = ({ connected, custody, headSlot, verdict }: PeerView, slot: Slot): boolean =>
  connected &&
  custody !== null &&
  slot >= (custody.earliestAvailableSlot ?? 0) &&
  slot <= (headSlot ?? -1) &&
  verdict !== "violating" &&
  verdict !== "evasive"

/** How many of the columns in question a peer owes too; more than so many do not matter. */
const owedOf = ({ custody }: PeerView, { columns }: Lacked): number =>
  Math.min(columns.filter((column) => custody?.columns.includes(column)).length, mostSame)

/** Of one block: so many peers are asked for so many columns each, of which so many are those that are lacking. */
const mostOthers = 4
const mostColumns = 12
const mostSame = 4
/** Then the next block has its turn; what is under way is recorded all the same. */
const askLimit = "15 seconds"
/** Blocks that wait, of one peer, and peers of which any do. */
const mostOfPeer = 16
const mostPeers = 1024
const mostAsked = 8192
