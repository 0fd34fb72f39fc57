import type { Event, EventOf, EventTag } from "./Event.ts"
import type { PeerId } from "./Primitives.ts"

/** Which events someone wants; without either, all of them. */
export interface EventFilter<Tag extends EventTag = EventTag> {
  readonly types?: ReadonlyArray<Tag> | undefined
  /**
   * Only what is about this peer; a `SystemSnapshot`, a `MatrixProgress` and a `SlotAvailability` are about none, a `ColumnArrival` is about
   * who sent it first.
   */
  readonly peer?: PeerId | undefined
}

/** Whether an event is wanted. */
export const passes = <Tag extends EventTag>({
  peer,
  types
}: EventFilter<Tag>): ((event: Event) => event is EventOf<Tag>) => {
  const wanted: ReadonlySet<string> | undefined = types === undefined ? undefined : new Set(types)
  return (event): event is EventOf<Tag> =>
    (wanted === undefined || wanted.has(event._tag)) && (peer === undefined || peerIdOf(event) === peer)
}

const peerIdOf = (event: Event): PeerId | undefined => {
  switch (event._tag) {
    case "Sampling":
      return event.probe.job.peerId
    case "CustodyUpdate":
    case "NodeTracking":
    case "ScanProgress":
    case "ColumnArrival":
      return event.peerId
    case "GossipFault":
      return event.fault.peerId
    case "SystemSnapshot":
    case "MatrixProgress":
    case "SlotAvailability":
      return undefined
  }
}
