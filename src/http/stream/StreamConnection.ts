import { Data, type Duration, Effect, Schedule } from "effect"
import type * as Net from "node:net"
import type { Framing } from "./Framing.ts"
import { graceMs } from "../server/NodeServer.ts"

/** Where the events of one client are written to. */
export interface StreamConnection {
  readonly framing: Framing
  readonly tcp: Net.Socket
  /** Whether it can be written to. */
  readonly isOpen: () => boolean
}

/** Why a client is sent away, with the WebSocket close code. */
export class Cut extends Data.TaggedError("Cut")<{ readonly code: number; readonly reason: string }> {}

export const stopping = new Cut({ code: 1001, reason: "the monitor is stopping" })
export const tooSlow = (why: string): Cut => new Cut({ code: 1013, reason: `too slow: ${why}` })

/** Gives the bytes to the connection, past the libraries, which would copy them for each client. */
export const write = ({ isOpen, tcp }: StreamConnection, bytes: Buffer): void => {
  if (bytes.length > 0 && isOpen() && tcp.writable) tcp.write(bytes)
}

/** Writes as the client reads; fails when it reads nothing for `stall`. */
export const writePaced = ({ isOpen, tcp }: StreamConnection, parts: Iterable<Buffer>): Effect.Effect<void, Cut> =>
  Effect.gen(function* () {
    yield* drained(tcp)
    for (const bytes of parts) {
      for (let at = 0; at < bytes.length; at += paceBytes) {
        if (!isOpen() || !tcp.writable) return
        tcp.write(bytes.subarray(at, at + paceBytes))
        yield* drained(tcp)
      }
    }
  })

/** What a client that is given more than it can take at once has to take at a time, and how soon. */
const paceBytes = 256 * 1024
const stall = "15 seconds"

const drained = (tcp: Net.Socket): Effect.Effect<void, Cut> =>
  Effect.suspend(() =>
    tcp.writableNeedDrain && !tcp.destroyed
      ? Effect.timeoutFail(drain(tcp), {
          duration: stall,
          onTimeout: () => tooSlow(`not even ${paceBytes} bytes are read in ${stall}`)
        })
      : Effect.void
  )

const drain = (tcp: Net.Socket): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const done = () => resume(Effect.void)
    tcp.once("drain", done)
    tcp.once("close", done)
    return Effect.sync(() => tcp.off("drain", done).off("close", done))
  })

/** Waits until no more than `backlogBytes` are left to read; gives the client up when that takes too long. */
export const patience = (
  { tcp }: StreamConnection,
  limits: { readonly backlogBytes: number; readonly patience: Duration.DurationInput }
): Effect.Effect<void, Cut> =>
  Effect.sync(() => tcp.writableLength > limits.backlogBytes).pipe(
    Effect.repeat({ while: (behind) => behind, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutFail({
      duration: limits.patience,
      onTimeout: () => tooSlow(`more than ${limits.backlogBytes} bytes wait to be read`)
    }),
    Effect.asVoid
  )

/** Bytes that a client may send at once, and what it gains with every millisecond: enough for pongs. */
const incomingBytes = 64 * 1024
const incomingBytesPerMs = 1

/** Fails when the client sends more than pongs; what it sends is not read any further. */
export const flood = (tcp: Net.Socket): Effect.Effect<never, Cut> =>
  Effect.async((resume) => {
    let allowance = incomingBytes
    let at = performance.now()
    const count = (bytes: Buffer) => {
      const elapsed = performance.now() - at
      at += elapsed
      allowance = Math.min(incomingBytes, allowance + elapsed * incomingBytesPerMs) - bytes.length
      if (allowance >= 0) return
      tcp.pause()
      resume(Effect.fail(new Cut({ code: 1008, reason: "this stream only sends: what you send is ignored" })))
    }
    tcp.on("data", count)
    return Effect.sync(() => tcp.off("data", count))
  })

/** How long a client that is cut for being slow has to read what waits for it, and why. */
export const farewell = ({ code }: Cut): Duration.DurationInput => (code === 1013 ? "5 seconds" : 0)

/** Waits until the client has closed the connection; destroys it when that takes too long. */
export const destroyAfterGrace = (tcp: Net.Socket): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (tcp.destroyed) return resume(Effect.void)
    const timer = setTimeout(() => tcp.destroy(), graceMs)
    tcp.once("close", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
  })
