import { HttpServerRequest, HttpServerResponse, Socket } from "@effect/platform"
import { NodeHttpServerRequest } from "@effect/platform-node"
import { Chunk, Data, Deferred, type Duration, Effect, Fiber, Metric, Schedule, Stream } from "effect"
import type * as Net from "node:net"
import { Dasmon } from "../Dasmon.ts"
import * as Metrics from "../domain/Metrics.ts"
import { Forbidden, jsonError, TooManySockets, UpgradeRequired } from "./HttpErrors.ts"
import { graceMs } from "./NodeServer.ts"
import { frameOf, makeEventFrames } from "./StreamMessage.ts"

export interface FeedLimits {
  /** Sockets open at once. */
  readonly maxSockets: number
  /** Bytes that may wait for a client that does not read them. */
  readonly backlogBytes: number
  /** How long a client may stay above `backlogBytes`: one burst is not its fault. */
  readonly patience: Duration.DurationInput
  readonly heartbeat: Duration.DurationInput
}

export const defaultFeedLimits: FeedLimits = {
  maxSockets: 1000,
  backlogBytes: 4 * 1024 * 1024,
  patience: "1 second",
  heartbeat: "15 seconds"
}

/**
 * `GET /ws`: a snapshot, then every event after it, each as one JSON message (`StreamMessage`). What clients send is
 * read, bounded and ignored.
 */
export const makeHandler = Effect.fnUntraced(function* (limits: FeedLimits) {
  const dasmon = yield* Dasmon
  const eventFrame = makeEventFrames(framesCapacity)
  let open = 0

  const counted = <A, E, R>(use: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.zipRight(
        Effect.sync(() => ++open),
        Metric.increment(Metrics.webSocketClients)
      ),
      () => use,
      () =>
        Effect.zipRight(
          Effect.sync(() => --open),
          Metric.incrementBy(Metrics.webSocketClients, -1)
        )
    )

  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const tcp = NodeHttpServerRequest.toIncomingMessage(request).socket
    if (!isUpgrade(request) || !tcp.readable || !tcp.writable) {
      return jsonError(new UpgradeRequired({ path: "/ws" }), 426, {
        connection: "close, upgrade",
        upgrade: "websocket"
      })
    }
    if (!sameOrigin(request)) return jsonError(new Forbidden({ reason: "the Origin is not this server" }), 403)
    if (open >= limits.maxSockets) return jsonError(new TooManySockets({ limit: limits.maxSockets }), 503)
    yield* counted(Effect.scoped(serve(dasmon, eventFrame, limits, request, tcp)))
    return HttpServerResponse.empty()
  })
})

/** Why a client is sent away, with the WebSocket close code. */
class Cut extends Data.TaggedError("Cut")<{ readonly code: number; readonly reason: string }> {}

/** Bytes of frames that are kept for other clients: seconds of a busy network. */
const framesCapacity = 8 * 1024 * 1024
/** What happens within this time goes out together: a thousand clients need not be woken for every single event. */
const coalesce = "20 millis"
/** Bytes that a client may send at once, and what it gains with every millisecond: enough for pongs. */
const incomingBytes = 64 * 1024
const incomingBytesPerMs = 1
/** How long a client that is cut has to read what waits for it, and why. */
const farewell = "5 seconds"

const serve = Effect.fnUntraced(function* (
  dasmon: typeof Dasmon.Service,
  eventFrame: ReturnType<typeof makeEventFrames>,
  limits: FeedLimits,
  request: HttpServerRequest.HttpServerRequest,
  tcp: Net.Socket
) {
  yield* Effect.addFinalizer(() => destroyAfterGrace(tcp))
  const socket = yield* request.upgrade
  const write = yield* socket.writer
  const opened = yield* Deferred.make<void>()
  // The library's writer waits while the socket is not open, and a finalizer must not wait: so it asks here.
  let live = false
  const reader = yield* socket
    .runRaw(() => undefined, {
      onOpen: Effect.zipRight(
        Effect.sync(() => void (live = true)),
        Deferred.succeed(opened, undefined)
      )
    })
    .pipe(
      Effect.ensuring(Effect.sync(() => void (live = false))),
      Effect.ignore,
      // Nothing here may wait for a handshake that the library has given up without saying so.
      Effect.disconnect,
      Effect.forkScoped
    )
  const close = (code: number, reason: string) =>
    Effect.suspend(() => (live ? Effect.ignore(write(new Socket.CloseEvent(code, reason))) : Effect.void))

  const talk = Effect.gen(function* () {
    yield* Deferred.await(opened)
    const { events, snapshot } = yield* dasmon.subscribe
    let last = snapshot.sequence
    // Frames go to the connection as they are, past the library, which would copy each of them for each client.
    const crowded = () => tcp.writableLength > limits.backlogBytes
    const send = (frame: Buffer) => void (live && tcp.writable && tcp.write(frame))
    send(frameOf({ _tag: "Snapshot", ...snapshot }))
    yield* Effect.sync(() => {
      if (!crowded()) send(frameOf({ _tag: "Heartbeat", sequence: last }))
    }).pipe(Effect.schedule(Schedule.spaced(limits.heartbeat)), Effect.forkScoped)
    yield* Stream.runForEachChunk(
      events,
      Effect.fnUntraced(function* (chunk) {
        // One system call for all that is sent before the next wait.
        tcp.cork()
        process.nextTick(() => tcp.uncork())
        for (const event of Chunk.toReadonlyArray(chunk)) {
          if (event.sequence <= last) continue
          if (crowded()) yield* patience(crowded, limits)
          if (event.sequence > last + 1) send(frameOf({ _tag: "Gap", from: last + 1, to: event.sequence - 1 }))
          send(eventFrame(event))
          last = event.sequence
        }
        yield* Effect.sleep(coalesce)
      })
    )
    return yield* new Cut({ code: 1001, reason: "the monitor is stopping" })
  }).pipe(Effect.scoped)

  yield* Effect.raceFirst(talk, flood(tcp)).pipe(
    Effect.catchTag("Cut", ({ code, reason }) =>
      Effect.gen(function* () {
        yield* Effect.logDebug(`a WebSocket client is cut: ${reason}`)
        yield* Metric.increment(Metrics.webSocketClientsCut)
        yield* close(code, reason)
        yield* Effect.sleep(code === 1013 ? farewell : 0)
      })
    ),
    Effect.onInterrupt(() => close(1001, "the server is stopping")),
    Effect.raceFirst(Fiber.await(reader))
  )
})

/** Waits until the client has read enough; gives it up when it does not. */
const patience = (crowded: () => boolean, limits: FeedLimits): Effect.Effect<void, Cut> =>
  Effect.sync(crowded).pipe(
    Effect.repeat({ while: (behind) => behind, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutFail({
      duration: limits.patience,
      onTimeout: () =>
        new Cut({ code: 1013, reason: `too slow: more than ${limits.backlogBytes} bytes wait to be read` })
    }),
    Effect.asVoid
  )

/** Fails when the client sends more than pongs; what it sends is not read any further. */
const flood = (tcp: Net.Socket): Effect.Effect<never, Cut> =>
  Effect.async((resume) => {
    let allowance = incomingBytes
    let at = performance.now()
    const count = (bytes: Buffer) => {
      const elapsed = performance.now() - at
      at += elapsed
      allowance = Math.min(incomingBytes, allowance + elapsed * incomingBytesPerMs) - bytes.length
      if (allowance >= 0) return
      tcp.pause()
      resume(Effect.fail(new Cut({ code: 1008, reason: "this socket only sends: what you send is ignored" })))
    }
    tcp.on("data", count)
    return Effect.sync(() => tcp.off("data", count))
  })

const destroyAfterGrace = (tcp: Net.Socket): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    if (tcp.destroyed) return resume(Effect.void)
    const timer = setTimeout(() => tcp.destroy(), graceMs)
    tcp.once("close", () => {
      clearTimeout(timer)
      resume(Effect.void)
    })
  })

/** What the library checks too; but there a wrong handshake is answered without an end to our effect. */
const isUpgrade = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["upgrade"]?.toLowerCase() === "websocket" &&
  /^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
  headers["sec-websocket-version"] === "13" &&
  headers["sec-websocket-protocol"] === undefined

/** Browsers send the page's origin with a WebSocket and leave it to the server to refuse; others send none. */
const sameOrigin = ({ headers }: HttpServerRequest.HttpServerRequest): boolean => {
  const origin = headers["origin"]
  if (origin === undefined) return true
  return URL.canParse(origin) && new URL(origin).host === headers["host"]?.toLowerCase()
}
