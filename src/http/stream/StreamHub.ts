import { Chunk, Deferred, type Duration, Effect, Iterable, Metric, Schedule, type Scope, Stream } from "effect"
import { Dasmon, type Snapshot } from "../../Dasmon.ts"
import type { Event, Gap } from "../../domain/Event.ts"
import { passes } from "../../domain/EventFilter.ts"
import * as Metrics from "../../domain/metrics/Metrics.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { makeGuard } from "../../runtime/Guard.ts"
import { framed, type Framing } from "./Framing.ts"
import { Cut, patience, stopping, type StreamConnection, tooSlow, write, writePaced } from "./StreamConnection.ts"
import { makeSharedBytes, piecesOf } from "./SharedBytes.ts"
import { makeJsonCache, type Outgoing, outgoing } from "./StreamMessage.ts"
import type { StreamQuery } from "./StreamQuery.ts"

export interface StreamLimits {
  /** Streams open at once, of both kinds together. */
  readonly maxStreams: number
  /** Bytes that may wait for a client that does not read them. */
  readonly backlogBytes: number
  /** How long a client may stay above `backlogBytes`: one burst is not its fault. */
  readonly patience: Duration.DurationInput
  readonly heartbeat: Duration.DurationInput
}

export const defaultStreamLimits: StreamLimits = {
  maxStreams: 1000,
  backlogBytes: 4 * 1024 * 1024,
  patience: "1 second",
  heartbeat: "15 seconds"
}

/** Hands the engine's events to all clients of the stream. */
export interface StreamHub {
  readonly run: string
  readonly limits: StreamLimits
  readonly isFull: () => boolean
  /** Counts a stream for as long as it lasts; fails at once when there are too many, and when it dies of a bug. */
  readonly counted: <A, E, R>(
    transport: Framing["transport"],
    stream: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | Cut, R>
  /** Writes what the client asked for, until it is cut; also when that dies of a bug. */
  readonly serve: (connection: StreamConnection, query: StreamQuery) => Effect.Effect<never, Cut>
}

/**
 * What happens at about the same time goes out together, as one piece of bytes that is made once for all clients that
 * want the same. A client that has to catch up (a snapshot, a replay, a backlog) does so at its own pace, out of what
 * the bus keeps, and then joins the others.
 */
export const makeStreamHub = Effect.fnUntraced(function* (limits: StreamLimits) {
  const dasmon = yield* Dasmon
  const { run, sequence: newest, since } = dasmon.events
  const guard = yield* makeGuard("serving an event stream", { isShown: false })
  const live = new Map<Listener, () => void>()
  const ended = yield* Deferred.make<never, Cut>()
  const jsonOfEvent = makeJsonCache()
  const replayed = makeSharedBytes(mostReplayed)
  /** Everything up to it was handed to those that are live. */
  let position = yield* newest
  let open = 0

  /** The bytes of those items that come after a sequence number and are wanted. */
  const render = (items: ReadonlyArray<Item>, after: number, { connection, isWanted }: Listener): Buffer =>
    Buffer.concat(
      items.flatMap((item) => {
        if (sequenceOf(item) <= after) return []
        if (item._tag === "Gap") {
          return framed(connection.framing, outgoing({ ...item, from: Math.max(item.from, after + 1) }))
        }
        return isWanted(item) ? framed(connection.framing, outgoing(item, jsonOfEvent(item))) : []
      })
    )

  /** The same bytes, in pieces that all clients of the group are given which catch up with them. */
  const replay = (items: ReadonlyArray<Item>, listener: Listener): Iterable<Buffer> =>
    Iterable.map(piecesOf(items, sequenceOf, isGap), (piece) => {
      const [first] = piece
      const make = () => render(piece, listener.last, listener)
      if (isGap(first)) return make()
      return replayed.of(`${listener.group} ${sequenceOf(first)}-${sequenceOf(piece.at(-1) ?? first)}`, make)
    })

  const deliver = (items: ReadonlyArray<Item>) => {
    const before = position
    position = items.reduce((_, item) => sequenceOf(item), before)
    const shared = new Map<string, Buffer>()
    for (const [listener, leave] of live) {
      const { connection, group, last } = listener
      if (connection.tcp.writableLength > limits.backlogBytes) {
        live.delete(listener)
        leave()
      } else if (last < position) {
        const bytes = (last === before ? shared.get(group) : undefined) ?? render(items, last, listener)
        if (last === before) shared.set(group, bytes)
        write(connection, bytes)
        listener.last = position
      }
    }
  }

  /** A client that was not reached catches up by itself. */
  const leaveBehind = Effect.sync(() => {
    for (const [listener, leave] of live) {
      if (listener.last === position) continue
      live.delete(listener)
      leave()
    }
  })
  const deliverAll = Stream.runForEachChunk(
    Stream.suspend(() => since(position)),
    (chunk) =>
      Effect.suspend(() => {
        const startedAt = performance.now()
        deliver(Chunk.toReadonlyArray(chunk))
        // With very many clients the writing itself takes long: then it is done less often.
        return Effect.sleep(Math.max(coalesceMs, 2 * (performance.now() - startedAt)))
      })
  )
  const end = Deferred.fail(ended, stopping)
  yield* Effect.addFinalizer(() => end)
  yield* daemon(
    "delivery of the event stream",
    Effect.zipRight(
      Effect.onError(deliverAll, () => leaveBehind),
      end
    )
  )

  const beat = Effect.sync(() => {
    const shared = new Map<string, Buffer>()
    for (const { connection, last } of live.keys()) {
      const { framing, tcp } = connection
      const key = `${framing.transport} ${last}`
      const bytes = shared.get(key) ?? heartbeat(framing, run, last)
      shared.set(key, bytes)
      if (tcp.writableLength <= limits.backlogBytes) write(connection, bytes)
    }
  })
  yield* daemon("heartbeats of the event stream", beat, Schedule.spaced(limits.heartbeat))

  /** Many clients that come at once share one. Whoever leaves must not take it from the others. */
  const sharedSnapshot = yield* dasmon.snapshot.pipe(
    Effect.map((snapshot) => outgoingSnapshot(snapshot)),
    Effect.uninterruptible,
    Effect.cachedWithTTL(snapshotAge)
  )
  const snapshotOf = (peer: string | undefined) =>
    peer === undefined
      ? sharedSnapshot
      : Effect.map(dasmon.snapshot, ({ peers, ...rest }) =>
          outgoingSnapshot({ ...rest, peers: peers.filter(({ peerId }) => peerId === peer) })
        )

  /** The first message, and the number after which events follow. */
  const begin = Effect.fnUntraced(function* (connection: StreamConnection, { filter, position }: StreamQuery) {
    const isOurs = position === undefined || ((position.run ?? run) === run && position.sequence <= (yield* newest))
    if (position !== undefined && isOurs) {
      write(connection, heartbeat(connection.framing, run, position.sequence))
      return position.sequence
    }
    const snapshot = yield* snapshotOf(filter.peer)
    const { sequence = 0 } = snapshot
    yield* writePaced(connection, framed(connection.framing, snapshot))
    if (!isOurs && sequence > 0) {
      const gap = outgoing({ _tag: "Gap", from: 1, to: sequence })
      write(connection, Buffer.concat(framed(connection.framing, gap)))
    }
    return sequence
  })

  const catchUp = (listener: Listener): Effect.Effect<void, Cut, Scope.Scope> =>
    Effect.gen(function* () {
      const pull = yield* Stream.toPull(since(listener.last))
      for (let first = true; listener.last < position; first = false) {
        const chunk = yield* Effect.mapError(pull, () => stopping)
        const items = Chunk.toReadonlyArray(chunk)
        if (!first && items.some(({ _tag }) => _tag === "Gap")) {
          return yield* tooSlow("what it had to catch up with is not kept any more")
        }
        yield* writePaced(listener.connection, replay(items, listener))
        listener.last = items.reduce((_, item) => sequenceOf(item), listener.last)
      }
    })

  /** Until it has more to read than it may. */
  const follow = (listener: Listener) =>
    Effect.async<void>((resume) => {
      if (listener.last < position) return resume(Effect.void)
      live.set(listener, () => resume(Effect.void))
      return Effect.sync(() => void live.delete(listener))
    })

  const hub: StreamHub = {
    run,
    limits,
    isFull: () => open >= limits.maxStreams,
    counted: <A, E, R>(transport: Framing["transport"], stream: Effect.Effect<A, E, R>) => {
      const clients = Metrics.streamClients.of({ transport })
      return Effect.acquireUseRelease(
        Effect.zipRight(
          Metric.incrementBy(clients, 1),
          Effect.sync(() => ++open)
        ),
        (count): Effect.Effect<A, E | Cut, R> => (count > limits.maxStreams ? tooMany : guard(stream, cutByBug)),
        () =>
          Effect.zipRight(
            Metric.incrementBy(clients, -1),
            Effect.sync(() => --open)
          )
      )
    },
    serve: (connection, query) =>
      Effect.gen(function* () {
        const last = yield* begin(connection, query)
        const { peer, types } = query.filter
        const group = [connection.framing.transport, peer ?? "", ...(types?.toSorted() ?? ["all"])].join(" ")
        const listener: Listener = { connection, group, isWanted: passes(query.filter), last }
        while (true) {
          yield* Effect.scoped(catchUp(listener))
          yield* follow(listener)
          yield* patience(connection, limits)
        }
      }).pipe(
        (served) => guard(served, cutByBug),
        Effect.raceFirst(Deferred.await(ended)),
        Effect.tapError(({ reason }) =>
          Effect.zipRight(
            Effect.logDebug(`a client of the event stream was disconnected: ${reason}`),
            Metric.increment(Metrics.streamClientsCut.of({ transport: connection.framing.transport }))
          )
        )
      )
  }
  return hub
})

type Item = Event | Gap

interface Listener {
  readonly connection: StreamConnection
  /** Those of one group are sent the same bytes. */
  readonly group: string
  readonly isWanted: (event: Event) => boolean
  /** Everything up to it was sent, or is not wanted. */
  last: number
}

/** What happens within this time goes out together: a thousand clients need not be woken for every single event. */
const coalesceMs = 20
/** How old a snapshot may be that a client begins with: what happened since then follows it. */
const snapshotAge = "1 second"

const cutByBug = () => new Cut({ code: 1011, reason: "a bug in the monitor" })
const tooMany = new Cut({ code: 1013, reason: "too many streams are open" })

const isGap = ({ _tag }: Item): boolean => _tag === "Gap"

/** Bytes of what is replayed that are kept for the next client: half of what the bus keeps. */
const mostReplayed = 16 * 1024 * 1024

const sequenceOf = (item: Item): number => (item._tag === "Gap" ? item.to : item.sequence)

const heartbeat = (framing: Framing, run: string, sequence: number): Buffer =>
  Buffer.concat(framed(framing, outgoing({ _tag: "Heartbeat", run, sequence })))

const outgoingSnapshot = (snapshot: Snapshot): Outgoing => outgoing({ _tag: "Snapshot", ...snapshot })
