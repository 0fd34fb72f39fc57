import { Schema } from "effect"
import { Snapshot } from "../Dasmon.ts"
import { Event } from "../domain/Event.ts"
import { textFrame } from "./TextFrame.ts"

/** The first message of a stream: everything, at one sequence number. */
const SnapshotMessage = Schema.TaggedStruct("Snapshot", Snapshot.fields)

/** The client was too slow for the events `from` to `to`, both included, and will not get them. */
const Gap = Schema.TaggedStruct("Gap", { from: Schema.Int, to: Schema.Int })

/** Sent every so often, so that a silent connection can be told from a dead one. */
const Heartbeat = Schema.TaggedStruct("Heartbeat", {
  /** Sequence number of the newest event or snapshot that this client was sent. */
  sequence: Schema.Int
})

/** Everything that `/ws` sends, one JSON text a message. */
export const StreamMessage = Schema.Union(SnapshotMessage, Event, Gap, Heartbeat)
export type StreamMessage = typeof StreamMessage.Type

const encode = Schema.encodeSync(Schema.parseJson(StreamMessage))

/** A message as the WebSocket frame that carries it. */
export const frameOf = (message: StreamMessage): Buffer => textFrame(encode(message))

/**
 * The frame of an event, made once however many clients want it. At most `capacity` bytes are kept, the newest.
 */
export const makeEventFrames = (capacity: number): ((event: Event) => Buffer) => {
  const kept = new Map<number, Buffer>()
  let size = 0
  return (event) => {
    const known = kept.get(event.sequence)
    if (known !== undefined) return known
    const frame = frameOf(event)
    kept.set(event.sequence, frame)
    size += frame.length
    for (const [sequence, oldest] of kept) {
      if (size <= capacity) break
      kept.delete(sequence)
      size -= oldest.length
    }
    return frame
  }
}
