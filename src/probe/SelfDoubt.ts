import { Clock, Context, Duration, Effect, Layer, Option, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { setNewest } from "../domain/Bounded.ts"
import type { DoubtKind } from "../domain/Doubt.ts"
import { epochOf } from "../domain/network/Chain.ts"
import { clientFamily } from "../domain/peer/ClientFamily.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import { makeCorrelation } from "../domain/probe/Correlation.ts"
import { blameOf, isTooYoung, outcomeOf, type ProbeError } from "../domain/probe/Outcome.ts"
import { type Lacking, makePublication } from "../domain/probe/Publication.ts"
import { Externs } from "../host/Externs.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import type { Finality } from "./Finality.ts"
import type { Finished } from "./VerifyDelivered.ts"

/**
 * The circuit breaker over accusations: sees what all peers together come to, and says when it is more likely that the
 * monitor is wrong than that they are. While it does nobody is accused; what was suspected meanwhile is asked for again
 * when that is over.
 */
export class SelfDoubt extends Context.Tag("dasmon/SelfDoubt")<
  SelfDoubt,
  {
    /** What one conversation came to, before anyone is accused by it. */
    readonly hear: (
      peerId: PeerId,
      agent: Option.Option<string>,
      finished: ReadonlyArray<Finished>
    ) => Effect.Effect<void>
    /**
     * The same of a conversation that says nothing of what all peers come to together, as that of a scan, whose peer was
     * picked: what the peer gave and lacked speaks of the blocks all the same, and others are asked about what it lacked.
     */
    readonly hearOfBlocks: (peerId: PeerId, finished: ReadonlyArray<Finished>) => Effect.Effect<void>
    /** What peers were heard to lack in such conversations since this was taken last; the newest, within a bound. */
    readonly takeLacked: Effect.Effect<ReadonlyArray<LackedInBlock>>
    /** What a peer's finalized checkpoint is to our chain. */
    readonly hearFinality: (peerId: PeerId, finality: Finality) => Effect.Effect<void>
    /** Why nobody may be accused at this moment; a sentence. */
    readonly reason: Effect.Effect<Option.Option<string>>
    /** The same, for what they lack in a slot. */
    readonly reasonAt: Effect.Effect<(slot: Slot) => Option.Option<string>>
    /** Why a peer is not blamed for lacking a column of a block: whether that was published is in doubt. */
    readonly publication: Effect.Effect<(lacking: Pick<Lacking, "column" | "peerId" | "root">) => Option.Option<string>>
    /** The columns of a block that somebody else than the peer gave. */
    readonly given: (root: Root, than: PeerId) => Effect.Effect<ReadonlySet<number>>
    /** These blocks, and no others, wait until others are asked about them: nobody is accused of a lack sooner, within bounds. */
    readonly awaitOthers: (roots: ReadonlySet<Root>) => Effect.Effect<void>
    /** Whether most peers that name a finalized checkpoint name one of our chain. */
    readonly peersAgree: Effect.Effect<boolean>
  }
>() {
  static readonly layer = (options: SelfDoubtOptions) => Layer.scoped(SelfDoubt, make(options))
}

/** A block of which a peer lacks columns that it owes. */
export interface LackedInBlock {
  readonly peerId: PeerId
  readonly slot: Slot
  readonly root: Root
  readonly columns: ReadonlyArray<number>
}

interface SelfDoubtOptions {
  /** Between the two conversations of an accusation. */
  readonly confirmAfter: Duration.Duration
  /** Whether a peer's accusation of a lack waits until others were heard about the block; not if left out. */
  readonly hearsOthers?: boolean
}

const make = Effect.fn("SelfDoubt.make")(function* (options: SelfDoubtOptions) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const doubts = yield* Doubts
  const confirmAfterMs = Duration.toMillis(options.confirmAfter)
  const windowMs = windows * confirmAfterMs
  const correlation = makeCorrelation({ windowMs, lateMs: confirmAfterMs })
  const startedAt = yield* Clock.currentTimeMillis
  const othersMs = options.hearsOthers === true ? patience * confirmAfterMs : 0
  const publication = makePublication({
    patienceMs: othersMs === 0 ? 0 : Math.max(leastPatienceMs, othersMs),
    othersKnownFrom: startedAt + othersMs
  })
  const lacked: Array<LackedInBlock> = []
  const agreements = new Map<PeerId, { readonly isOurs: boolean; readonly at: number }>()

  const tally = (now: number) => {
    const named = [...agreements.values()].filter(({ at }) => now - at <= windowMs)
    return { named: named.length, ours: named.filter(({ isOurs }) => isOurs).length }
  }

  const otherChain = (now: number): string | undefined => {
    const { named, ours } = tally(now)
    return named - ours >= leastOthers && ours * 2 < named
      ? `${named - ours} of ${named} peers have finalized another chain than the beacon node`
      : undefined
  }

  const since = new Map<DoubtKind, number>()
  const tell = Effect.fnUntraced(function* (kind: DoubtKind, what: string | undefined, now: number) {
    const sentence = Option.map(Option.fromNullable(what), (what) => `${what}: ${whatFollows}`)
    const from = Option.isSome(sentence) ? (since.get(kind) ?? now) : undefined
    if (from === undefined) since.delete(kind)
    else since.set(kind, from)
    // Among the first few peers that answer most may be liars: it forbids at once, and is told when it lasts.
    yield* doubts.set(kind, from !== undefined && now - from >= lastingMs ? sentence : Option.none())
    return sentence
  })
  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const seen = correlation.look(now)
    const ofPeers = yield* tell("accusations", seen.peers ?? otherChain(now), now)
    const ofBlocks = yield* tell("blocks", seen.slots, now)
    return Option.orElse(ofPeers, () => ofBlocks)
  })

  const lookAtFinality = Effect.gen(function* () {
    const final = yield* commitments.finalized
    // At the start it may not have been told yet.
    if (Option.isNone(final) && (yield* Clock.currentTimeMillis) - startedAt < toldWithinMs) return
    const behind =
      epochOf(chain, yield* commitments.headSlot) -
      Option.match(final, { onNone: () => 0, onSome: ({ epoch }) => epoch })
    yield* doubts.set(
      "finality",
      behind > mostBehindEpochs
        ? Option.some(`nothing was finalized in the last ${behind} epochs: nobody is newly accused until that goes on`)
        : Option.none()
    )
  })
  yield* daemon(
    "watch over what all peers come to together",
    Effect.zipRight(look, lookAtFinality),
    Schedule.spaced(lookEvery)
  )

  const reason = Effect.flatMap(look, (own) => Effect.map(doubts.forbids, (others) => Option.orElse(own, () => others)))
  return SelfDoubt.of({
    hear: (peerId, agent, finished) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        const suspect = slotsOf(finished.filter(isSuspect))
        const clean = slotsOf(finished.filter(({ error }) => Option.isNone(error)))
        correlation.hear({
          peerId,
          family: clientFamily(Option.getOrNull(agent)),
          suspect: [...suspect],
          clean: [...clean].filter((slot) => !suspect.has(slot)),
          at
        })
        for (const { slot: _, ...heard } of columnsOf(finished)) publication.hear({ ...heard, peerId, at })
      }),
    hearOfBlocks: (peerId, finished) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        for (const { absent, early, present, root, slot } of columnsOf(finished)) {
          publication.hear({ peerId, root, present, absent, early, at })
          if (absent.length > 0) lacked.push({ peerId, slot, root, columns: absent })
        }
        lacked.splice(0, lacked.length - mostLacked)
      }),
    takeLacked: Effect.sync(() => lacked.splice(0)),
    hearFinality: (peerId, { agreement }) =>
      Effect.map(Clock.currentTimeMillis, (at) => {
        // Whoever names none, or an old one, says nothing of the chain that it is on.
        if (agreement === "unknown" || agreement === "withheld") return
        setNewest(agreements, peerId, { isOurs: agreement === "ours", at }, mostAgreements)
      }),
    reason,
    reasonAt: Effect.zipWith(
      reason,
      Clock.currentTimeMillis,
      (known, now) => (slot) =>
        Option.orElse(known, () =>
          correlation.isDoubtful(slot, now) ? Option.some(`too many peers were suspect in slot ${slot}`) : Option.none()
        )
    ),
    publication: Effect.map(Clock.currentTimeMillis, (now) => {
      return (lacking) => Option.fromNullable(publication.doubt({ ...lacking, now }))
    }),
    given: (root, than) => Effect.sync(() => publication.given(root, than)),
    awaitOthers: (roots) => Effect.sync(() => publication.await(roots)),
    peersAgree: Effect.map(Clock.currentTimeMillis, (now) => {
      const { named, ours } = tally(now)
      return ours >= leastOthers && ours * 2 > named
    })
  })
})

const isSuspect = ({ error }: Finished): boolean =>
  Option.exists(error, (error) => error._tag === "Suspected" || blameOf[outcomeOf(error)] === "peer")

const slotsOf = (finished: ReadonlyArray<Finished>): ReadonlySet<Slot> =>
  new Set(finished.map(({ block }) => block.slot))

/** By block: what the peer gave, what it left out or said that it does not have, and what it need not have had yet. */
const columnsOf = (finished: ReadonlyArray<Finished>) => {
  const blocks = new Map<
    Root,
    {
      readonly root: Root
      readonly slot: Slot
      readonly present: Array<number>
      readonly absent: Array<number>
      readonly early: Array<number>
    }
  >()
  for (const { block, column, error } of finished) {
    const one = blocks.get(block.root) ?? { root: block.root, slot: block.slot, present: [], absent: [], early: [] }
    blocks.set(block.root, one)
    if (Option.isNone(error)) one.present.push(column)
    else if (isAbsent(error.value)) one.absent.push(column)
    else if (isTooYoung(error.value)) one.early.push(column)
  }
  return blocks.values()
}

const isAbsent = (error: ProbeError): boolean =>
  error._tag === "MissingColumn" ||
  error._tag === "ColumnsUnavailable" ||
  (error._tag === "Suspected" && (error.suspicion === "missing" || error.suspicion === "unavailable"))

const whatFollows = "nobody is accused while it is so; check the beacon node, the clock and the network of this monitor"
const lastingMs = 10_000
/** How many times as long as a suspicion is left alone others are waited for. */
const patience = 6
const leastPatienceMs = 60_000
/** What is older than so many times `confirmAfter` counts no more. */
const windows = 6
/** Peers on another chain than ours, or on ours, before anything is concluded from it. */
const leastOthers = 3
const mostAgreements = 16_384
/** Blocks that others are to be asked about, until somebody takes them. */
const mostLacked = 64
/** A chain in good health finalizes two to three epochs behind its head. */
const mostBehindEpochs = 6
const toldWithinMs = 60_000
const lookEvery = Duration.seconds(5)
