import * as Sse from "@effect/experimental/Sse"
import { Chunk, Clock, Data, Duration, Effect, Either, Fiber, Option, Queue, Ref, Schedule, Stream } from "effect"
import type { ChainEvent } from "../../../domain/network/Block.ts"
import type { Epoch, Root } from "../../../domain/Primitives.ts"
import { printable } from "../../../domain/Text.ts"
import type { ChainParameters } from "../../../domain/network/Chain.ts"
import { type BeaconFailure, passing } from "../BeaconFailure.ts"
import type { BeaconHttp } from "../BeaconHttp.ts"
import type { Header } from "../BeaconNode.ts"
import { readEvent, type Seen } from "./EventMessage.ts"
import { openEvents } from "./EventTopics.ts"
import { type Answer, missedEvents, nothingSeen, withTold } from "./MissedEvents.ts"

/** Where the events come from, and whom to ask for what a gap in them may have hidden. */
export interface EventSource {
  /** The node that is followed at this moment, if there is one, and an effect that returns when it no longer is. */
  readonly followed: Effect.Effect<{ readonly http: Option.Option<BeaconHttp>; readonly left: Effect.Effect<void> }>
  readonly chain: ChainParameters
  readonly head: Effect.Effect<Header, unknown>
  readonly finalized: Effect.Effect<{ readonly epoch: Epoch; readonly root: Root }, unknown>
  /** Without any event for so long, the connection counts as dead. */
  readonly idle: Duration.Duration
}

/** Three slots and a margin, but 30 seconds at least. */
export const idleLimit = (chain: ChainParameters): Duration.Duration =>
  Duration.millis(Math.max(30_000, 3 * chain.slotDurationMs + 5_000))

/** Lodestar sends the head of its answer with the first event: a slot later, or several while slots are missed. */
const openingLimit = (chain: ChainParameters): Duration.Duration =>
  Duration.millis(Math.max(30_000, 8 * chain.slotDurationMs))

/**
 * Head, finality and reorgs for as long as it is run; never fails. Every connection starts with the present head, and
 * where that does not follow from the last one told, with a `Reorg` over all that was not final then. A node without
 * an event endpoint, or one that is down, or that takes its time to answer, is asked for its head every slot, and so is
 * whoever can tell while no node is followed. Where another node is followed from then on, so are its events. An event
 * that cannot be read is passed over, and the head asked for in its place.
 */
export const chainEvents = (source: EventSource): Stream.Stream<ChainEvent> =>
  Stream.unwrap(
    Effect.map(Effect.all({ seen: Ref.make(nothingSeen), tell: makeTeller }), ({ seen, tell }) =>
      Stream.unwrap(
        Effect.map(source.followed, ({ http, left }) =>
          Option.match(http, {
            onNone: () => Stream.fromIterableEffect(newsSince(source, seen)),
            onSome: (http) => Stream.interruptWhen(Stream.unwrapScoped(connection(source, http, seen, tell)), left)
          })
        )
      ).pipe(Stream.repeat(reconnection(source.chain)))
    )
  )

/** At most a slot apart. */
const reconnection = (chain: ChainParameters) =>
  Schedule.exponential("500 millis").pipe(
    Schedule.union(Schedule.spaced(Duration.millis(chain.slotDurationMs))),
    Schedule.jitteredWith({ min: 0.8, max: 1 }),
    Schedule.resetAfter(Duration.millis(Math.max(10_000, 2 * chain.slotDurationMs)))
  )

/** Open before the head is asked for, so that nothing falls between that answer and the first event. */
const connection = Effect.fnUntraced(function* (
  source: EventSource,
  http: BeaconHttp,
  seen: Ref.Ref<Seen>,
  tell: Teller
) {
  const { chain } = source
  const opening = yield* Effect.forkScoped(Effect.either(openEvents(http, openingLimit(chain))))
  const told = remembered(chain, seen)
  const news = newsSince(source, seen)
  const inPlace = yield* makeInPlace(source)
  const read = Effect.fnUntraced(function* (item: Sse.Event | Answered) {
    const now = yield* seen
    if (item._tag === "Answered") return yield* told(missedEvents(chain, { ...item, now }))
    const { events, lack } = readEvent(item, now)
    if (lack === "unreadable") yield* tell.unreadable(item, http)
    if (lack !== undefined) yield* inPlace.want(now)
    return yield* told(events)
  })
  const events = Effect.map(Fiber.join(opening), (opened) =>
    Either.isLeft(opened)
      ? Stream.concat(Stream.execute(tell.broken(opened.left)), Stream.fromIterableEffect(news))
      : Stream.execute(tell.well).pipe(
          Stream.concat(Stream.fromIterableEffect(news)),
          Stream.concat(
            parse(http, opened.right).pipe(
              Stream.timeoutFail(() => new Silence(), source.idle),
              Stream.merge(inPlace.answers, { haltStrategy: "left" }),
              Stream.mapConcatEffect(read)
            )
          ),
          Stream.catchTags({
            BeaconFailure: (error) => Stream.execute(tell.broken(error)),
            Silence: () => Stream.execute(silent(source, http, seen, tell))
          })
        )
  )
  return Stream.concat(untilOpen(chain, opening, news), Stream.unwrap(events))
})

/** What may have happened since what was told last, by the node's answer; nothing while there is none. */
const newsSince = (source: EventSource, seen: Ref.Ref<Seen>): Effect.Effect<ReadonlyArray<ChainEvent>> =>
  Effect.flatMap(seen, (before) =>
    Effect.map(ask(source), (answer) => missedEvents(source.chain, { answer, before, now: before }))
  ).pipe(
    Effect.orElseSucceed(() => []),
    Effect.flatMap(remembered(source.chain, seen))
  )

const remembered = (chain: ChainParameters, seen: Ref.Ref<Seen>) => (events: ReadonlyArray<ChainEvent>) =>
  Effect.as(
    Ref.update(seen, (before) => withTold(chain, before, events)),
    events
  )

const ask = (source: EventSource): Effect.Effect<Answer, unknown> =>
  Effect.all({
    head: source.head,
    finalized: Effect.map(Effect.option(source.finalized), Option.getOrUndefined)
  })

/** The answer in place of events that could not be read. */
interface Answered {
  readonly _tag: "Answered"
  /** What had been told before the first of them. */
  readonly before: Seen
  readonly answer: Answer
}

/**
 * The node is asked for what an event did not tell, once for all that came meanwhile, and for as long as it takes: the
 * events go on, however long it is silent.
 */
const makeInPlace = Effect.fnUntraced(function* (source: EventSource) {
  // Keeps what was told before the first of those that wait.
  const wanted = yield* Queue.dropping<Seen>(1)
  const answered = (before: Seen) =>
    ask(source).pipe(
      Effect.retry(Schedule.spaced(Duration.millis(source.chain.slotDurationMs))),
      Effect.orDie,
      Effect.map((answer): Answered => ({ _tag: "Answered", before, answer }))
    )
  return {
    want: (before: Seen) => wanted.offer(before),
    answers: Stream.mapEffect(Stream.fromQueue(wanted), answered)
  }
})

/** The head, every slot, while the answer has not begun. A node that answers soon is not asked twice. */
const untilOpen = (
  chain: ChainParameters,
  opening: Fiber.Fiber<unknown>,
  news: Effect.Effect<ReadonlyArray<ChainEvent>>
): Stream.Stream<ChainEvent> =>
  Stream.paginateChunkEffect(Duration.seconds(1), (wait) =>
    Fiber.await(opening).pipe(
      Effect.timeoutOption(wait),
      Effect.flatMap(
        Option.match({
          onSome: () => Effect.succeed([Chunk.empty<ChainEvent>(), Option.none()]),
          onNone: () =>
            Effect.map(news, (events) => [
              Chunk.fromIterable(events),
              Option.some(Duration.millis(chain.slotDurationMs))
            ])
        })
      )
    )
  )

/** Too long without an event. */
class Silence extends Data.TaggedError("Silence") {}

/** Slots may have been missed, and then there was nothing to tell; only a head that moved meanwhile is worth a word. */
const silent = (source: EventSource, http: BeaconHttp, seen: Ref.Ref<Seen>, tell: Teller): Effect.Effect<void> =>
  Effect.zipWith(seen, Effect.option(source.head), ({ head }, now) =>
    Option.exists(now, ({ root }) => root === head?.root)
      ? Effect.void
      : tell.broken(failure(http, `nothing for ${Duration.toMillis(source.idle)} ms`))
  ).pipe(Effect.flatten)

/** What is said in the log of the events' troubles. */
interface Teller {
  /** One warning for each time that the connection breaks, however often it is tried again. */
  readonly broken: (error: BeaconFailure) => Effect.Effect<void>
  readonly well: Effect.Effect<void>
  /** One warning an hour, at most. */
  readonly unreadable: (event: Sse.Event, http: BeaconHttp) => Effect.Effect<void>
}

const makeTeller: Effect.Effect<Teller> = Effect.map(
  Effect.all({ isBroken: Ref.make(false), toldAt: Ref.make(-Infinity) }),
  ({ isBroken, toldAt }) => ({
    broken: (error) =>
      Effect.flatMap(Ref.getAndSet(isBroken, true), (already) =>
        already ? Effect.void : Effect.logWarning(`no chain events, asking for the head instead: ${error.message}`)
      ),
    well: Ref.set(isBroken, false),
    unreadable: Effect.fnUntraced(function* ({ data, event }, http) {
      const now = yield* Clock.currentTimeMillis
      const isDue = yield* Ref.modify(toldAt, (at) => (now - at < toldEveryMs ? [false, at] : [true, now]))
      const where = http.operation("/eth/v1/events")
      const what = `${printable(event, 32)} event that cannot be read (${printable(data, 100)})`
      yield* (isDue ? Effect.logWarning : Effect.logDebug)(
        `${where}: a ${what}: it is passed over, and the head asked for`
      )
    })
  })
)

const toldEveryMs = Duration.toMillis("1 hour")

/** An event is a few hundred bytes. */
const maxEventSize = 2 ** 16

const parse = (http: BeaconHttp, bytes: Stream.Stream<Uint8Array, BeaconFailure>) =>
  Stream.suspend(() => {
    let events: Array<Sse.Event> = []
    const parser = Sse.makeParser(
      (event) => {
        if (event._tag === "Event") events.push(event)
      },
      { maxEventSize }
    )
    return bytes.pipe(
      Stream.decodeText(),
      Stream.mapConcatEffect((text) => {
        const error = parser.feed(text)
        if (error !== undefined) return Effect.fail(failure(http, `an event longer than ${maxEventSize} characters`))
        const parsed = events
        events = []
        return Effect.succeed(parsed)
      })
    )
  })

const failure = (http: BeaconHttp, reason: string): BeaconFailure => passing(http.operation("/eth/v1/events"), reason)
