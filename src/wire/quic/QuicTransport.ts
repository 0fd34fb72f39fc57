import { setMaxListeners } from "node:events"
import {
  AbortError,
  type ComponentLogger,
  isStartable,
  type Listener,
  type MultiaddrConnection,
  TimeoutError,
  type Transport,
  transportSymbol,
  type Upgrader,
  type UpgraderOptions
} from "@libp2p/interface"
import { Predicate } from "effect"
import { raceSignal } from "race-signal"
import { nativeConnectionOf } from "./NativeQuic.ts"
import { quicMuxerFactory } from "./QuicMuxer.ts"
import { routeOf } from "./Route.ts"

/**
 * The transport of the module, with streams of our own (`QuicStream`), and with what it lacks: names are looked up, an
 * address to which there is no way is told from a peer that does not answer, a dial ends with its signal, and many
 * handshakes are waited for at once.
 */
export const quicTransport = (inner: Transport, logger: ComponentLogger): Transport & Lifecycle => ({
  [Symbol.toStringTag]: "quic",
  [transportSymbol]: true,
  listenFilter: inner.listenFilter,
  dialFilter: inner.dialFilter,
  start: async () => {
    if (isStartable(inner)) await inner.start()
  },
  stop: async () => {
    if (isStartable(inner)) await inner.stop()
  },
  dial: async (address, options) => {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(dialMs)])
    const dialled = async () =>
      inner.dial(await routeOf(address), { ...options, signal, upgrader: withOwnStreams(options.upgrader, logger) })
    // The module ends a handshake by its own limit only; a connection that comes later it closes itself.
    return raceSignal(dialled(), signal, { translateError: () => dialEnded(options.signal) })
  },
  createListener: (options) => {
    const listener = inner.createListener({ ...options, upgrader: withOwnStreams(options.upgrader, logger) })
    listener.addEventListener("listening", () => acceptMore(listener), { once: true })
    return listener
  }
})

interface Lifecycle {
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Milliseconds for one address: where UDP does not get through, TCP still has its time. */
const dialMs = 3_000

const dialEnded = (outer: AbortSignal): Error =>
  outer.aborted
    ? new AbortError("the dial was given up")
    : new TimeoutError(`no answer over QUIC: timeout after ${dialMs} ms`)

/** Handshakes that one address waits for at once: the module takes one, and whoever says nothing would keep all out. */
const handshakes = 128

const acceptMore = (listener: Listener): void => {
  const accept = property(listener, "awaitInboundConnections")
  const closing = property(property(property(listener, "state"), "controller"), "signal")
  if (!Predicate.isFunction(accept) || !(closing instanceof AbortSignal)) return
  setMaxListeners(handshakes, closing)
  for (let more = 1; more < handshakes; more++) accept.call(listener)
}

const property = (value: unknown, name: string): unknown =>
  Predicate.hasProperty(value, name) ? value[name] : undefined

const withOwnStreams = (upgrader: Upgrader, logger: ComponentLogger): Upgrader => ({
  upgradeOutbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
    upgrader.upgradeOutbound(connection, ownStreams(connection, options, logger)),
  upgradeInbound: (connection: MultiaddrConnection, options: UpgraderOptions) =>
    upgrader.upgradeInbound(connection, ownStreams(connection, options, logger)),
  createInboundAbortSignal: (signal) => upgrader.createInboundAbortSignal(signal),
  getStreamMuxers: () => upgrader.getStreamMuxers(),
  getConnectionEncrypters: () => upgrader.getConnectionEncrypters()
})

const ownStreams = <Options extends UpgraderOptions>(
  connection: MultiaddrConnection,
  options: Options,
  logger: ComponentLogger
): Options => {
  const native = nativeConnectionOf(options.muxerFactory)
  if (native === undefined) throw new Error("@chainsafe/libp2p-quic has changed: it gives no connection to its muxer")
  return { ...options, muxerFactory: quicMuxerFactory(native, connection, logger) }
}
