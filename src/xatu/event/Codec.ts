import { Either, Option, ParseResult, Schema } from "effect"
import protobuf from "protobufjs/light.js"
import { createEventsResponseType, decoratedEventType } from "./Descriptors.ts"
import { CreateEventsResponse, XatuEvent } from "./XatuEvent.ts"

/**
 * One event as a part of a CreateEventsRequest: field 1, with its tag and length. The frames of some events one after
 * the other are a whole request, and so is a file of them.
 */
export type Frame = Uint8Array

/** Checks an event and writes it; fails with what is wrong with it. */
export const encodeEvent = (event: XatuEvent): Either.Either<Frame, string> =>
  Either.mapBoth(encode(event), {
    onLeft: (error) => ParseResult.TreeFormatter.formatErrorSync(error).split("\n").at(-1)?.trim() ?? error.message,
    onRight: (message) =>
      decoratedEventType.encode(message, protobuf.Writer.create().uint32(frameTag).fork()).ldelim().finish()
  })

/**
 * The whole frames at the start of `bytes`. What follows the last of them is left out: half a frame, or what was never
 * written.
 */
export const readFrames = (bytes: Uint8Array): ReadonlyArray<Frame> => {
  const frames: Array<Frame> = []
  let start = 0
  while (start < bytes.length) {
    const end = frameEnd(bytes, start)
    if (end === undefined || end > bytes.length) break
    frames.push(bytes.subarray(start, end))
    start = end
  }
  return frames
}

/** What an event in a frame is, for a person. */
export const describeFrame = (frame: Frame): string =>
  Option.match(decodeFrame(frame), {
    onNone: () => `${frame.length} bytes that are no event`,
    onSome: ({
      event,
      libp2p_trace_gossipsub_data_column_sidecar: gossiped,
      libp2p_trace_rpc_data_column_custody_probe: probe,
      meta: { client }
    }) => {
      if (gossiped !== undefined) return `the arrival of column ${gossiped.index} of slot ${gossiped.slot}`
      if (probe !== undefined) {
        return `a probe of column ${probe.column_index} of slot ${probe.slot} at ${probe.peer_id} (${probe.result})`
      }
      const { libp2p_trace_connected, libp2p_trace_handle_metadata, libp2p_trace_handle_status } = client
      const about =
        libp2p_trace_connected ??
        libp2p_trace_handle_metadata ??
        libp2p_trace_handle_status ??
        client.libp2p_trace_synthetic_heartbeat
      return `${event.name}${about === undefined ? "" : ` of ${about.metadata.peer_id}`}`
    }
  })

/** How many events the server took in; none if it does not say so. */
export const decodeIngested = (bytes: Uint8Array): Option.Option<number> =>
  Option.flatMap(
    Option.liftThrowable(() =>
      createEventsResponseType.toObject(createEventsResponseType.decode(bytes), { longs: Number })
    )(),
    (message: unknown) =>
      Option.flatMap(decodeResponse(message), (response) => Option.fromNullable(response.events_ingested))
  )

const encode = Schema.encodeEither(XatuEvent)
const decodeEvent = Schema.decodeUnknownOption(XatuEvent)
const decodeResponse = Schema.decodeUnknownOption(CreateEventsResponse)

const decodeFrame = (frame: Frame): Option.Option<XatuEvent> =>
  Option.flatMap(
    Option.liftThrowable(() => {
      const reader = protobuf.Reader.create(frame)
      reader.uint32()
      return decoratedEventType.toObject(decoratedEventType.decodeDelimited(reader), { longs: Number, defaults: false })
    })(),
    (message: unknown) => decodeEvent(message)
  )

/** Field 1, length-delimited. */
const frameTag = 0x0a

/** Where the frame at `start` ends, which may be after the bytes; nothing if there is no frame. */
const frameEnd = (bytes: Uint8Array, start: number): number | undefined => {
  if (bytes[start] !== frameTag) return undefined
  let length = 0
  for (let index = 1; index <= maxLengthBytes; index++) {
    const byte = bytes[start + index]
    if (byte === undefined) return undefined
    length += (byte & 0x7f) * 2 ** (7 * (index - 1))
    if (byte < 0x80) return length === 0 ? undefined : start + 1 + index + length
  }
  return undefined
}

/** A length of up to 2^28: no event is as long. */
const maxLengthBytes = 4
