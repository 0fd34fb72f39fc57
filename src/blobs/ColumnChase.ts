import { Clock, Duration, Effect, FiberSet, Option, Queue, type Scope } from "effect"
import { owes, withHeadFrom } from "../domain/peer/ClaimHistory.ts"
import {
  columnsWhere,
  type Errand,
  type HuntState,
  isEnough,
  isExhausted,
  lackingColumns,
  nextErrands,
  type Source
} from "../domain/blobs/ColumnHunt.ts"
import type { AskedPeer, BlobAccount } from "../domain/blobs/FetchedBlobs.ts"
import type { Block } from "../domain/network/Block.ts"
import { columnsToReconstruct } from "../domain/network/Chain.ts"
import type { PeerId } from "../domain/Primitives.ts"
import type { NotProbed } from "../domain/probe/ProbeNow.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { Peers, type TrackedPeer } from "../peers/Peers.ts"
import type { PeerSet } from "../peers/set/PeerSet.ts"
import type { Asked } from "../peers/Questions.ts"
import { makeBringOthers } from "./BringOthers.ts"
import { reliance } from "./Reliance.ts"

/** How far a chase is. */
export interface ChaseProgress {
  /** Distinct columns that are there, of the 64 that it takes. */
  readonly present: number
  /** Peers that are asked at this moment, and that were asked altogether. */
  readonly asking: number
  readonly asked: number
}

export interface ChaseOptions {
  /** For all of it. */
  readonly limit: Duration.Duration
  /** How long someone new is waited for when everybody who is there was asked. */
  readonly patience: Duration.Duration
  readonly progress: (progress: ChaseProgress) => Effect.Effect<void>
}

/** What came of it. */
export interface Chase {
  /** Sidecars that were verified, by column; enough, or all that were to be had. */
  readonly columns: ReadonlyMap<number, Uint8Array>
  /** Whether everybody who claims what is missing was asked, as far as anyone is known, and can be reached. */
  readonly isSettled: boolean
  readonly account: () => BlobAccount
  /** Says that a column is not the block's after all: it is gone, and whoever gave it is asked no more for it. */
  readonly reject: (column: number, detail: string) => void
  /** Goes on until there is enough, nobody is left, or the time is over. */
  readonly run: Effect.Effect<void>
}

/**
 * Gets the columns of a block together: what is held in memory, and then what connected peers bring, many asked at the same
 * time, each within its budgets. Where these do not suffice, others who are known and owe what is missing are dialled, a
 * bounded number, and asked as soon as they have said what they claim. It ends as soon as there are 64.
 */
export const makeChase = Effect.fnUntraced(function* (
  block: Block,
  { limit, patience, progress }: ChaseOptions
): Effect.fn.Return<Chase, never, Peers | PeerSet | LiveMatrix | Scope.Scope> {
  const peers = yield* Peers
  const matrix = yield* LiveMatrix
  const others = yield* makeBringOthers(block.slot)
  const fibers = yield* FiberSet.make()
  const news = yield* Queue.sliding<void>(1)
  const deadline = (yield* Clock.currentTimeMillis) + Duration.toMillis(limit)
  const columns = new Map<number, Uint8Array>()
  const givers = new Map<number, PeerId | null>()
  const settled = new Map<PeerId, Set<number>>()
  const underWay = new Map<number, number>()
  const asking = new Set<PeerId>()
  const restsUntil = new Map<PeerId, number>()
  const failures = new Map<PeerId, number>()
  const asked = new Map<PeerId, AskedPeer>()
  const claimed = new Set<number>()
  let isSettled = false

  for (const { column, ssz } of (yield* matrix.columns(block.root)).values()) {
    columns.set(column, ssz)
    givers.set(column, null)
  }

  const sourcesAmong = (tracked: ReadonlyArray<TrackedPeer>): ReadonlyArray<Source> =>
    tracked.flatMap(({ peerId }): ReadonlyArray<Source> => {
      const known = Option.getOrUndefined(peers.known(peerId))
      if (known === undefined || !known.connected || Option.isNone(known.claims)) return []
      const claims = withHeadFrom(known.claims.value, block.slot)
      const own = columnsWhere((column) => owes(claims, block.slot, column))
      for (const column of own) claimed.add(column)
      const rank = reliance(own.length, Option.getOrUndefined(peers.view(peerId)))
      return own.length === 0 ? [] : [{ peerId, claims: new Set(own), rank }]
    })

  const stateAt = (now: number): HuntState => ({
    have: new Set(columns.keys()),
    settled,
    underWay: new Set(underWay.keys()),
    late: new Set([...underWay].filter(([, since]) => now - since >= lateMs).map(([column]) => column)),
    busy: new Set([...asking, ...[...restsUntil].filter(([, until]) => until > now).map(([peerId]) => peerId)])
  })

  const note = (peerId: PeerId, change: (before: AskedPeer) => Partial<AskedPeer>): void => {
    const before = asked.get(peerId) ?? {
      peerId,
      agent: Option.getOrNull(Option.flatMap(peers.known(peerId), ({ agent }) => agent)),
      gave: [],
      absent: [],
      wrong: [],
      failure: null
    }
    asked.set(peerId, { ...before, ...change(before) })
  }

  const answered = (errand: Errand, { absent, probe, proven }: Asked): void => {
    const { peerId } = errand
    const put = new Set(probe.job.columns)
    unsettle(
      peerId,
      errand.columns.filter((column) => !put.has(column))
    )
    // The probe goes by the chain: after a reorg it says nothing of this block.
    if (probe.outcomes.some(({ blockRoot }) => blockRoot !== block.root)) {
      return note(peerId, () => ({ failure: "another block has taken this one's place in the slot" }))
    }
    const wrong = probe.outcomes.flatMap(({ check, column, reason }) =>
      check === undefined ? [] : [{ column, detail: reason ?? check }]
    )
    const failed = probe.outcomes.find(
      ({ check, column, outcome }) => outcome !== "success" && check === undefined && !absent.includes(column)
    )
    note(peerId, (before) => ({
      gave: ascending([...before.gave, ...proven.map(({ column }) => column)]),
      absent: ascending([...before.absent, ...absent]),
      wrong: [...before.wrong, ...wrong],
      failure: failed?.reason ?? before.failure
    }))
    for (const { column, ssz } of proven) {
      if (columns.has(column)) continue
      columns.set(column, ssz)
      givers.set(column, peerId)
    }
  }

  const notProbed = (errand: Errand, error: NotProbed, now: number): void => {
    const { peerId } = errand
    const count = (failures.get(peerId) ?? 0) + 1
    failures.set(peerId, count)
    if (error._tag !== "NotConnected") note(peerId, () => ({ failure: reasonOf(error) }))
    // What it was asked for too slowly is not asked of it again.
    if (error._tag === "ProbeTookTooLong" || count >= mostFailures) return
    unsettle(peerId, errand.columns)
    const seconds = "retryAfterSeconds" in error ? error.retryAfterSeconds : shortRestSeconds
    restsUntil.set(peerId, now + Math.min(seconds, longestRestSeconds) * 1000)
  }

  const unsettle = (peerId: PeerId, some: ReadonlyArray<number>): void => {
    for (const column of some) settled.get(peerId)?.delete(column)
  }

  /** Asks, and tells of it; what was put to the peer is recorded, whatever becomes of the chase. */
  const run = (errand: Errand, now: number) =>
    Effect.suspend(() => {
      const { peerId } = errand
      const before = settled.get(peerId) ?? new Set()
      for (const column of errand.columns) {
        before.add(column)
        underWay.set(column, now)
      }
      settled.set(peerId, before)
      asking.add(peerId)
      return peers.ask(peerId, { slot: block.slot, columns: errand.columns, purpose: "retrieval", within: turnLimit })
    }).pipe(
      Effect.matchEffect({
        onSuccess: (result) => Effect.sync(() => answered(errand, result)),
        onFailure: (error) => Effect.map(Clock.currentTimeMillis, (now) => notProbed(errand, error, now))
      }),
      Effect.ensuring(
        Effect.suspend(() => {
          asking.delete(errand.peerId)
          for (const column of errand.columns) if (underWay.get(column) === now) underWay.delete(column)
          return Queue.offer(news, undefined)
        })
      )
    )

  const chase = Effect.gen(function* () {
    let quietSince = Infinity
    isSettled = false
    while (true) {
      const now = yield* Clock.currentTimeMillis
      const tracked = yield* peers.tracked
      const from = sourcesAmong(tracked)
      const state = stateAt(now)
      if (isEnough(state) || now >= deadline) break
      yield* others.bring(lackingColumns(from, state), tracked, now)
      if (!isExhausted(from, state) || others.areComing(yield* peers.tracked, now)) quietSince = Infinity
      else if (quietSince === Infinity) quietSince = now
      // The first are waited for longer: they are looked for, dialled and greeted.
      const patienceMs = Duration.toMillis(patience) * (claimed.size === 0 ? firstPatience : 1)
      if (now - quietSince >= patienceMs) {
        isSettled = !others.areMore()
        break
      }
      for (const errand of nextErrands(from, state, mostColumns).slice(0, mostAtOnce - asking.size)) {
        yield* FiberSet.run(fibers, run(errand, now))
      }
      yield* progress({ present: columns.size, asking: asking.size, asked: asked.size })
      yield* Effect.timeoutOption(Queue.take(news), lookInterval)
    }
    yield* progress({ present: columns.size, asking: 0, asked: asked.size })
  })

  const account = (): BlobAccount => {
    const absent = new Set([...asked.values()].flatMap((peer) => peer.absent))
    const put = new Set([...settled.values()].flatMap((columns) => [...columns]))
    return {
      slot: block.slot,
      blockRoot: block.root,
      blobs: block.commitments.length,
      columns: [...givers].map(([column, peerId]) => ({ column, peerId })).sort((a, b) => a.column - b.column),
      margin: columns.size - columnsToReconstruct,
      notAsked: columnsWhere((column) => claimed.has(column) && !columns.has(column) && !put.has(column)),
      nobodyHad: columnsWhere((column) => absent.has(column) && !columns.has(column)),
      nobodyClaims: columnsWhere((column) => !claimed.has(column) && !columns.has(column)),
      peers: [...asked.values()]
    }
  }

  return {
    columns,
    get isSettled() {
      return isSettled
    },
    account,
    reject: (column, detail) => {
      const giver = givers.get(column)
      columns.delete(column)
      givers.delete(column)
      if (giver === undefined || giver === null) return
      note(giver, ({ gave, wrong }) => ({
        gave: gave.filter((one) => one !== column),
        wrong: [...wrong, { column, detail }]
      }))
    },
    run: chase
  }
})

const ascending = (columns: ReadonlyArray<number>): ReadonlyArray<number> => [...new Set(columns)].sort((a, b) => a - b)

const reasonOf = (error: NotProbed): string => {
  switch (error._tag) {
    case "NothingToAsk":
      return error.reason
    case "TooSoon":
      return `its limits allow no question before ${error.retryAfterSeconds} s from then`
    case "ProbeTookTooLong":
      return `no answer within ${error.afterSeconds} s`
    case "TooManyWaiting":
      return "too many questions were waiting"
    case "NotConnected":
    case "UnknownPeer":
      return "not connected any more"
  }
}

/** Columns in one question; peers that are asked at once. */
const mostColumns = 32
const mostAtOnce = 32
/** An answer that is not there by then is asked of others too. */
const lateMs = 5_000
/** Times the patience, while nobody has come who claims anything. */
const firstPatience = 4
/** For a question to be put: then its answer takes what it takes. */
const turnLimit = Duration.seconds(15)
/** Times that a question to a peer may come to nothing. */
const mostFailures = 5
const shortRestSeconds = 1
const longestRestSeconds = 15
/** Between two looks at who is connected. */
const lookInterval = Duration.millis(250)
