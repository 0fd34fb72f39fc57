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
  /** Why nothing can be written any more, nor read beyond what has come; `undefined` while it is open. */
  readonly failure: () => StreamFailure | undefined
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
  let failure = failureOfStatus(stream)
  let aborting = false
  const listeners = new Set<() => void>()
  const changed = (): void => listeners.forEach((listener) => listener())

  const onRemoteEnd = (): void => {
    remoteEnded = true
    changed()
  }
  const onClose = (event: CloseEvent): void => {
    failure = failureOfClose(event, remoteEnded, aborting)
    changed()
  }
  stream.addEventListener("remoteCloseWrite", onRemoteEnd)
  stream.addEventListener("close", onClose)
  return {
    remoteEnded: () => remoteEnded,
    failure: () => failure,
    abort: (detail) => {
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

const failureOfStatus = (stream: Stream): StreamFailure | undefined => {
  if (stream.status === "open") return undefined
  return stream.status === "reset"
    ? wasReset()
    : new StreamFailure({ kind: "lost", detail: "the connection was closed" })
}

/** A muxer closes its streams without an error when the connection goes away, and aborts them when it breaks. */
const failureOfClose = (event: CloseEvent, remoteEnded: boolean, aborting: boolean): StreamFailure => {
  if (event.error === undefined) {
    return remoteEnded
      ? new StreamFailure({ kind: "closed", detail: "both ends are closed" })
      : new StreamFailure({ kind: "lost", detail: "the connection was closed" })
  }
  if (event.local !== true) return wasReset()
  const detail = event.error.message
  if (aborting) return new StreamFailure({ kind: "aborted", detail })
  return new StreamFailure({ kind: event.error.name === "StreamBufferError" ? "overflow" : "lost", detail })
}

const wasReset = (): StreamFailure => new StreamFailure({ kind: "reset", detail: "the peer reset the stream" })
