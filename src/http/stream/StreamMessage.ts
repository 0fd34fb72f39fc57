import { Schema } from "effect"
import { Snapshot } from "../../Dasmon.ts"
import { Event, Gap } from "../../domain/Event.ts"

/** Everything, at one sequence number: what a client begins with unless it goes on from where it was. */
const SnapshotMessage = Schema.TaggedStruct("Snapshot", Snapshot.fields)

/** Sent every so often, so that a silent connection can be told from a dead one, and nothing wanted from a loss. */
const Heartbeat = Schema.TaggedStruct("Heartbeat", {
  run: Schema.String,
  /** Everything up to this number was sent to the client, or was not wanted by it. */
  sequence: Schema.Int
})

/** Why the server ends the stream: the last message of `/events`. On `/ws` the close frame says it. */
const Cut = Schema.TaggedStruct("Cut", { reason: Schema.String })

/** Everything that `/ws` and `/events` send, one JSON text a message. */
export const StreamMessage = Schema.Union(SnapshotMessage, Event, Gap, Heartbeat, Cut)
export type StreamMessage = typeof StreamMessage.Type

/** The JSON of a message in UTF-8. */
const jsonOf = (message: StreamMessage): Buffer => Buffer.from(JSON.stringify(plain(message)))

/** The types say that a message is encoded as it is: Schema's encoder would only copy it, slowly. */
const plain = (message: StreamMessage): typeof StreamMessage.Encoded => message

/** A message on its way: what does not depend on how it is sent. */
export interface Outgoing {
  readonly tag: StreamMessage["_tag"]
  /** What the client has once it got this; none for what does not move it on. */
  readonly sequence: number | undefined
  readonly json: Buffer
}

export const outgoing = (message: StreamMessage, json: Buffer = jsonOf(message)): Outgoing => ({
  tag: message._tag,
  sequence: message._tag === "Cut" ? undefined : message._tag === "Gap" ? message.to : message.sequence,
  json
})

/** The JSON of each event, made once and kept for as long as the bus keeps the event. */
export const makeJsonCache = (): ((event: Event) => Buffer) => {
  const known = new WeakMap<Event, Buffer>()
  return (event) => {
    const json = known.get(event) ?? jsonOf(event)
    known.set(event, json)
    return json
  }
}
