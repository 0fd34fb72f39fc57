import { Chunk, type Context, Effect, Stream } from "effect"
import type { Event, EventOf, EventTag, Gap } from "../domain/Event.ts"
import { type EventFilter, passes } from "../domain/EventFilter.ts"
import type { EventBus } from "./EventBus.ts"

/** Every event from the moment at which the stream is run; a reader that is slow loses the oldest. */
export interface EventStream extends Stream.Stream<Event> {
  /** UUID of this run of the program: a sequence number means nothing in another. */
  readonly run: string
  /** Sequence number of the newest event; 0 before the first. */
  readonly sequence: Effect.Effect<number>
  /** The events of these kinds, with their type. */
  readonly of: <Tag extends EventTag>(...tags: ReadonlyArray<Tag>) => Stream.Stream<EventOf<Tag>>
  /**
   * The wanted events after that sequence number, each once: those that the bus still keeps, then those that come. A
   * `Gap` stands for events that are lost, wanted or not. Numbers that a filter passes over are no gap. A number that is
   * not reached yet is of another run: what was before is a gap then.
   */
  readonly since: <Tag extends EventTag = EventTag>(
    sequence: number,
    filter?: EventFilter<Tag>
  ) => Stream.Stream<EventOf<Tag> | Gap>
}

export const makeEventStream = (bus: Context.Tag.Service<EventBus>): EventStream =>
  Object.assign(Stream.unwrap(bus.subscribe), {
    run: bus.run,
    sequence: bus.sequence,
    of: <Tag extends EventTag>(...types: ReadonlyArray<Tag>) =>
      Stream.filter(Stream.unwrap(bus.subscribe), passes<Tag>({ types })),
    since: <Tag extends EventTag = EventTag>(sequence: number, filter: EventFilter<Tag> = {}) =>
      Stream.unwrap(
        Effect.map(bus.subscribeFrom(sequence), ({ events, gap }) => {
          const wanted = Stream.mapChunks(events, withGaps(gap?.to ?? sequence, passes(filter)))
          return gap === undefined ? wanted : Stream.concat(Stream.make(gap), wanted)
        })
      )
  })

/** What is wanted of chunks that follow on `after`, with a gap wherever the numbers jump. */
const withGaps = <Tag extends EventTag>(after: number, isWanted: (event: Event) => event is EventOf<Tag>) => {
  let last = after
  return (chunk: Chunk.Chunk<Event>): Chunk.Chunk<EventOf<Tag> | Gap> => {
    const found: Array<EventOf<Tag> | Gap> = []
    for (const event of chunk) {
      if (event.sequence > last + 1) found.push({ _tag: "Gap", from: last + 1, to: event.sequence - 1 })
      last = event.sequence
      if (isWanted(event)) found.push(event)
    }
    return Chunk.unsafeFromArray(found)
  }
}
