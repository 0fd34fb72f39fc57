import { Stream } from "effect"
import type { Event } from "../domain/Event.ts"

/** The events of one kind. */
export const ofTag = <Tag extends Event["_tag"], E, R>(
  events: Stream.Stream<Event, E, R>,
  tag: Tag
): Stream.Stream<Extract<Event, { readonly _tag: Tag }>, E, R> =>
  Stream.filter(events, (event): event is Extract<Event, { readonly _tag: Tag }> => event._tag === tag)
