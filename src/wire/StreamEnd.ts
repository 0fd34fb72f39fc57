import type { Stream } from "@libp2p/interface"
import { Data } from "effect"

/** Why a stream can no longer be read or written, or was not in time. */
export class StreamFailure extends Data.TaggedError("StreamFailure")<{
  /**
   * `reset`: the peer reset the stream. `lost`: the connection went away. `aborted`: we reset it. `overflow`: more came
   * than we may hold while we were not reading. `silent`: nothing came in time. `stalled`: the peer did not take what
   * we wrote in time. `closed`: it is closed already.
   */
  readonly kind: "reset" | "lost" | "aborted" | "overflow" | "silent" | "stalled" | "closed"
  readonly detail: string
}> {
  override get message(): string {
    return `${this.kind}: ${this.detail}`
  }
}

/** How a stream stands, and how it came to its end. */
export interface StreamEnd {
  /** Whether the peer has closed its half cleanly. */
  readonly remoteEnded: () => boolean
  /** Whether nothing can be written any more, nor read beyond what has come. */
  readonly isOver: () => boolean
  /** Why it is over; `closed` before that. */
  readonly failure: () => StreamFailure
  /** Resets the stream, unless it is closed. */
  readonly abort: (detail: string) => void
  /** Calls `listener` after every change; gives the way to stop it. */
  readonly onChange: (listener: () => void) => () => void
  readonly detach: () => void
}

/** Follows the events of a stream, which must not have been written to its end yet. */
export const watchEnd = (stream: Stream): StreamEnd => {
  // A stream whose connection is lost counts as ended by the peer as well, but then it is no longer open.
  let remoteEnded = stream.remoteWriteStatus === "closed" && stream.status === "open"
  let over = endOfStatus(stream)
  let aborting = false
  const listeners = new Set<() => void>()
  const changed = (): void => listeners.forEach((listener) => listener())

  const onRemoteEnd = (): void => {
    remoteEnded = true
    changed()
  }
  const onClose = (event: CloseEvent): void => {
    over = endOfClose(event, remoteEnded, aborting)
    changed()
  }
  stream.addEventListener("remoteCloseWrite", onRemoteEnd)
  stream.addEventListener("close", onClose)
  return {
    remoteEnded: () => remoteEnded,
    isOver: () => over !== undefined,
    failure: () => new StreamFailure(over ?? { kind: "closed", detail: "our end is closed" }),
    abort: (detail) => {
      if (over !== undefined) return
      aborting = true
      stream.abort(new Error(detail))
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    detach: () => {
      stream.removeEventListener("remoteCloseWrite", onRemoteEnd)
      stream.removeEventListener("close", onClose)
    }
  }
}

/** What is used of libp2p's `StreamCloseEvent`. */
interface CloseEvent {
  readonly error?: Error
  readonly local?: boolean
}

type End = Pick<StreamFailure, "kind" | "detail">

const endOfStatus = (stream: Stream): End | undefined => {
  if (stream.status === "open") return undefined
  return stream.status === "reset" ? wasReset : wasLost
}

/** A muxer closes its streams without an error when the connection goes away, and aborts them when it breaks. */
const endOfClose = (event: CloseEvent, remoteEnded: boolean, aborting: boolean): End => {
  if (event.error === undefined) return remoteEnded ? wasClosed : wasLost
  if (event.local !== true) return wasReset
  const detail = event.error.message
  if (aborting) return { kind: "aborted", detail }
  return { kind: event.error.name === "StreamBufferError" ? "overflow" : "lost", detail }
}

const wasReset: End = { kind: "reset", detail: "the peer reset the stream" }
const wasLost: End = { kind: "lost", detail: "the connection was closed" }
const wasClosed: End = { kind: "closed", detail: "both ends are closed" }
