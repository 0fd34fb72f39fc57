import { Sse } from "@effect/experimental"
import { Duration, Effect, Either, Option, Ref, Schedule, Schema, Stream } from "effect"
import type { ChainEvent, Head } from "../../domain/network/Block.ts"
import { RootFromHex } from "../../domain/Bytes.ts"
import type { Epoch, Root } from "../../domain/Primitives.ts"
import { type ChainParameters, epochStart } from "../../domain/network/Chain.ts"
import { BeaconFailure, type BeaconHttp } from "./BeaconHttp.ts"
import type { Header } from "./BeaconNode.ts"
import { SafeUint64 } from "./BeaconSpec.ts"

/** Where the events come from, and whom to ask for what a gap in them may have hidden. */
export interface EventSource {
  readonly http: BeaconHttp
  readonly chain: ChainParameters
  readonly head: Effect.Effect<Header, unknown>
  readonly finalized: Effect.Effect<{ readonly epoch: Epoch; readonly root: Root }, unknown>
  /** Without any event for so long, the connection counts as dead. */
  readonly idle: Duration.Duration
}

/** Three slots and a margin, but 30 seconds at least. */
export const idleLimit = (chain: ChainParameters): Duration.Duration =>
  Duration.millis(Math.max(30_000, 3 * chain.slotDurationMs + 5_000))

/**
 * Head, finality and reorgs for as long as it is run; never fails. Every connection starts with the present head, and
 * where that does not follow from the last one told, with a `Reorg` over all that was not final then. A node without
 * an event endpoint, or one that is down, is asked for its head every slot.
 */
export const chainEvents = (source: EventSource): Stream.Stream<ChainEvent> =>
  Stream.unwrap(
    Effect.map(Effect.all({ seen: Ref.make(nothingSeen), broken: Ref.make(false) }), ({ broken, seen }) =>
      Stream.unwrapScoped(connection(source, seen, broken)).pipe(
        Stream.repeat(reconnection(source.chain)),
        Stream.tap((event) => Ref.update(seen, (state) => remember(source.chain, state, event)))
      )
    )
  )

/** What the stream has told so far. */
interface Seen {
  readonly head: Head | undefined
  readonly finalizedSlot: number | undefined
}

const nothingSeen: Seen = { head: undefined, finalizedSlot: undefined }

const remember = (chain: ChainParameters, seen: Seen, event: ChainEvent): Seen => {
  switch (event._tag) {
    case "Head":
      return { ...seen, head: event.head }
    case "Finalized":
      return { ...seen, finalizedSlot: epochStart(chain, event.epoch) }
    case "Reorg":
      return seen
  }
}

/** Slots that a reorg may reach back while it is not known what is final. */
const assumedDepth = 64

/** At most a slot apart. */
const reconnection = (chain: ChainParameters) =>
  Schedule.exponential("500 millis").pipe(
    Schedule.union(Schedule.spaced(Duration.millis(chain.slotDurationMs))),
    Schedule.jitteredWith({ min: 0.8, max: 1 }),
    Schedule.resetAfter(Duration.millis(Math.max(10_000, 2 * chain.slotDurationMs)))
  )

/** Opened before the head is asked for, so that nothing falls between that answer and the first event. */
const connection = Effect.fnUntraced(function* (source: EventSource, seen: Ref.Ref<Seen>, broken: Ref.Ref<boolean>) {
  const opened = yield* Effect.either(source.http.open(`/eth/v1/events?topics=${topics}`, "text/event-stream"))
  const missed = yield* resync(source, yield* seen)
  if (Either.isLeft(opened)) {
    yield* tellOnce(broken, opened.left)
    return Stream.fromIterable(missed)
  }
  yield* Ref.set(broken, false)
  const events = parse(source, opened.right).pipe(
    Stream.timeoutFail(() => failure(source, `nothing for ${Duration.toMillis(source.idle)} ms`), source.idle),
    Stream.mapConcatEffect((event) => Effect.zipWith(decode(source, event), seen, translate)),
    Stream.catchAll((error) => Stream.execute(tellOnce(broken, error)))
  )
  return Stream.concat(Stream.fromIterable(missed), events)
})

/** One warning for each time that the connection breaks, however often it is tried again. */
const tellOnce = (broken: Ref.Ref<boolean>, error: BeaconFailure): Effect.Effect<void> =>
  Effect.flatMap(Ref.getAndSet(broken, true), (already) =>
    already ? Effect.void : Effect.logWarning(`no chain events, asking for the head instead: ${error.message}`)
  )

/** What may have happened since `before`. A head's root stands for its whole chain; nothing while no one answers. */
const resync = (source: EventSource, before: Seen): Effect.Effect<ReadonlyArray<ChainEvent>> =>
  Effect.all({ head: source.head, finalized: Effect.option(source.finalized) }).pipe(
    Effect.map(({ finalized, head }) => {
      const events: Array<ChainEvent> = []
      if (before.head !== undefined && before.head.root !== head.root && before.head.root !== head.parentRoot) {
        const last = Math.max(before.head.slot, head.slot)
        const first = Math.max(0, Math.min(before.finalizedSlot ?? before.head.slot - assumedDepth, head.slot))
        events.push({ _tag: "Reorg", slot: last, depth: last - first + 1 })
      }
      if (before.head?.root !== head.root) {
        events.push({ _tag: "Head", head: { slot: head.slot, root: head.root } })
      }
      if (Option.isSome(finalized) && before.finalizedSlot !== epochStart(source.chain, finalized.value.epoch)) {
        events.push({ _tag: "Finalized", ...finalized.value })
      }
      return events
    }),
    Effect.orElseSucceed(() => [])
  )

const topics = "head,finalized_checkpoint,chain_reorg"

const HeadEvent = Schema.Struct({ slot: SafeUint64, block: RootFromHex })
const FinalizedEvent = Schema.Struct({ epoch: SafeUint64, block: RootFromHex })
const ReorgEvent = Schema.Struct({ slot: SafeUint64, depth: SafeUint64 })

type Told =
  | { readonly _tag: "head"; readonly event: typeof HeadEvent.Type }
  | { readonly _tag: "finalized_checkpoint"; readonly event: typeof FinalizedEvent.Type }
  | { readonly _tag: "chain_reorg"; readonly event: typeof ReorgEvent.Type }
  | { readonly _tag: "other" }

const decode = (source: EventSource, { data, event }: Sse.Event): Effect.Effect<Told, BeaconFailure> => {
  const as = <A, I>(schema: Schema.Schema<A, I>) => Schema.decode(Schema.parseJson(schema))(data)
  const told = (): Effect.Effect<Told, unknown> => {
    switch (event) {
      case "head":
        return Effect.map(as(HeadEvent), (value) => ({ _tag: event, event: value }))
      case "finalized_checkpoint":
        return Effect.map(as(FinalizedEvent), (value) => ({ _tag: event, event: value }))
      case "chain_reorg":
        return Effect.map(as(ReorgEvent), (value) => ({ _tag: event, event: value }))
      default:
        return Effect.succeed({ _tag: "other" })
    }
  }
  return Effect.mapError(told(), () => failure(source, `an event ${event.slice(0, 32)} that cannot be read`))
}

/**
 * Nodes count a reorg's depth from the old or the new head, so both are covered, and the slot of the common ancestor.
 */
const translate = (told: Told, seen: Seen): ReadonlyArray<ChainEvent> => {
  switch (told._tag) {
    case "head":
      return [{ _tag: "Head", head: { slot: told.event.slot, root: told.event.block } }]
    case "finalized_checkpoint":
      return [{ _tag: "Finalized", epoch: told.event.epoch, root: told.event.block }]
    case "chain_reorg": {
      const { depth, slot } = told.event
      const last = Math.max(slot, seen.head?.slot ?? slot)
      const first = Math.max(0, Math.min(slot, seen.head?.slot ?? slot) - depth)
      return [{ _tag: "Reorg", slot: last, depth: last - first + 1 }]
    }
    case "other":
      return []
  }
}

/** An event is a few hundred bytes. */
const maxEventSize = 2 ** 16

const parse = (source: EventSource, bytes: Stream.Stream<Uint8Array, BeaconFailure>) =>
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
        if (error !== undefined) return Effect.fail(failure(source, `an event longer than ${maxEventSize} characters`))
        const parsed = events
        events = []
        return Effect.succeed(parsed)
      })
    )
  })

const failure = (source: EventSource, reason: string): BeaconFailure =>
  new BeaconFailure({
    operation: source.http.operation("/eth/v1/events"),
    reason,
    status: Option.none(),
    transient: true
  })
