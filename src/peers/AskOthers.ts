import { Clock, Effect, Layer, Random, Schedule, Stream } from "effect"
import { makeBucket } from "../domain/Bucket.ts"
import { dropOldest, setNewest } from "../domain/Bounded.ts"
import type { Event } from "../domain/Event.ts"
import { movesClaim } from "../domain/peer/MovesClaim.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import { EventBus } from "../events/EventBus.ts"
import { type LackedInBlock, SelfDoubt } from "../probe/SelfDoubt.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Peers } from "./Peers.ts"

/**
 * Has others asked, once for each block, when a peer that is not known to lie left out something of it, also in a scan:
 * those who owe the same columns first. What they have or lack says whether these were published at all (`Publication`),
 * before anyone is accused. Peers have turns, so that one that lacks everything leaves room for the others; and there are
 * bounds on what is asked in a minute, lower ones for peers that nothing ever came of. A block of which no other peer said
 * anything is asked about again when somebody lacks it the next time.
 */
export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const bus = yield* EventBus
    const peers = yield* Peers
    const selfDoubt = yield* SelfDoubt
    /** By who lacks it, the newest of each. */
    const waiting = new Map<PeerId, ReadonlyArray<LackedInBlock>>()
    const asked = new Map<Root, true>()
    const ofUnproven = makeBucket(unprovenRate)
    const ofOthers = makeBucket(usualRate)

    const note = (lacked: LackedInBlock): void => {
      if (asked.has(lacked.root)) return
      const before = (waiting.get(lacked.peerId) ?? []).filter(({ root }) => root !== lacked.root)
      waiting.set(lacked.peerId, [...before, lacked].slice(-mostOfPeer))
      dropOldest(waiting, mostPeers)
    }

    /** The next of whoever waited longest for its turn; what known liars lack is forgotten. */
    const next = (known: ReadonlyMap<PeerId, PeerView>, now: number): LackedInBlock | undefined => {
      for (const [peerId, blocks] of waiting) {
        const peer = known.get(peerId)
        const [first, ...others] = peer?.verdict === "violating" ? [] : blocks.filter(({ root }) => !asked.has(root))
        const bucket = (peer?.outcomes.success ?? 0) === 0 ? ofUnproven : ofOthers
        if (first !== undefined && bucket.room(now) < 1) continue
        waiting.delete(peerId)
        if (others.length > 0) waiting.set(peerId, others)
        if (first === undefined) continue
        bucket.take(1, now)
        return first
      }
      return undefined
    }

    /** What each of some others is asked for: of the columns in question, and of those that nobody else is asked for. */
    const questionsTo = Effect.fnUntraced(function* (lacked: LackedInBlock, all: ReadonlyArray<PeerView>) {
      const given = yield* selfDoubt.given(lacked.root, lacked.peerId)
      const open = lacked.columns.filter((column) => !given.has(column))
      if (open.length === 0) return []
      const others = yield* Random.shuffle(
        all.filter((peer) => peer.peerId !== lacked.peerId && mayKnow(peer, lacked.slot) && !movesClaim(peer.findings))
      )
      const owing = [...others].sort((a, b) => owedOf(b, open) - owedOf(a, open))
      const taken = new Set<number>()
      const questions: Array<{ readonly peerId: PeerId; readonly columns: ReadonlyArray<number> }> = []
      for (const { custody, peerId } of owing) {
        if (questions.length === mostOthers) break
        const own = (custody?.columns ?? []).filter((column) => !given.has(column))
        const same = own.filter((column) => open.includes(column)).slice(0, mostSame)
        const rest = [...(yield* Random.shuffle(own.filter((column) => !open.includes(column))))]
        const fresh = [...rest.filter((column) => !taken.has(column)), ...rest.filter((column) => taken.has(column))]
        const columns = [...same, ...fresh].slice(0, mostColumns)
        for (const column of columns) taken.add(column)
        if (columns.length > 0) questions.push({ peerId, columns })
      }
      return questions
    })

    const askAbout = Effect.fnUntraced(function* (lacked: LackedInBlock, all: ReadonlyArray<PeerView>) {
      const { root, slot } = lacked
      yield* Effect.forEach(
        yield* questionsTo(lacked, all),
        ({ columns, peerId }) =>
          peers.ask(peerId, { slot, columns, purpose: "availability", isUrgent: false }).pipe(
            Effect.map(({ absent, proven }) => {
              if (absent.length + proven.length > 0) setNewest(asked, root, true, mostAsked)
            }),
            // Whoever cannot be asked now says nothing of the block: others do, or it is asked about again.
            Effect.ignore
          ),
        { concurrency: "unbounded", discard: true }
      ).pipe(Effect.timeoutOption(askLimit))
    })

    let hasWaited = false
    const askOthers = Effect.gen(function* () {
      for (const lacked of yield* selfDoubt.takeLacked) note(lacked)
      if (waiting.size === 0 && !hasWaited) return
      hasWaited = waiting.size > 0
      yield* selfDoubt.awaitOthers(new Set([...waiting.values()].flatMap((blocks) => blocks.map(({ root }) => root))))
      const all = peers.views()
      const lacked = next(new Map(all.map((peer) => [peer.peerId, peer])), yield* Clock.currentTimeMillis)
      if (lacked !== undefined) yield* askAbout(lacked, all)
    })

    const listen = Stream.runForEach(Stream.unwrap(bus.subscribe), (event) =>
      Effect.sync(() => lackedIn(event).forEach(note))
    )
    yield* daemon("listening for what peers lack", listen)
    yield* daemon("asking others about what a peer lacks", askOthers, Schedule.spaced("500 millis"))
  })
)

/** The blocks of a probe that a peer was chosen for, or asked again in, of which it lacked something. */
const lackedIn = (event: Event): ReadonlyArray<LackedInBlock> => {
  if (event._tag !== "Sampling") return []
  const { purpose } = event.probe
  if (purpose !== "sampling" && purpose !== "confirmation") return []
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
const owedOf = ({ custody }: PeerView, columns: ReadonlyArray<number>): number =>
  Math.min(columns.filter((column) => custody?.columns.includes(column)).length, mostSame)

/** Of one block: so many peers are asked for so many columns each, of which so many are those that are lacking. */
const mostOthers = 4
const mostColumns = 12
const mostSame = 4
/** Blocks a second that are asked about, and at once: of peers that never delivered anything, whom anyone can bring up. */
const unprovenRate = { burst: 6, perSecond: 6 / 60 }
const usualRate = { burst: 60, perSecond: 60 / 60 }
/** Then the next block has its turn; what is under way is recorded all the same. */
const askLimit = "15 seconds"
/** Blocks that wait, of one peer, and peers of which any do. */
const mostOfPeer = 16
const mostPeers = 1024
const mostAsked = 8192
