import { Predicate } from "effect"

/** What is used of a connection of `@chainsafe/libp2p-quic`, which is of native code and comes without types. */
export interface NativeConnection {
  readonly id: () => string
  /** Rejects once the connection is gone. */
  readonly inboundStream: () => Promise<NativeStream>
  /** Waits for as long as the peer allows no more streams; rejects once the connection is gone. */
  readonly outboundStream: () => Promise<NativeStream>
}

/** What is used of a stream of it. One call at a time may be under way for each half: others wait for it. */
export interface NativeStream {
  readonly id: () => string
  /** The next bytes, so many at most; nothing after the peer's clean end. The error says why there are none. */
  readonly read: (maxLength: number) => Promise<Uint8Array | null | undefined>
  /** Resolves once all is with the transport, however slowly the peer takes it. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  readonly finishWrite: () => Promise<void>
  readonly resetWrite: () => Promise<void>
  readonly stopRead: () => Promise<void>
}

/** The native connection that a muxer factory of the module was made for. */
export const nativeConnectionOf = (factory: unknown): NativeConnection | undefined => {
  if (!Predicate.hasProperty(factory, "init") || !Predicate.hasProperty(factory.init, "connection")) return undefined
  const { connection } = factory.init
  return isNativeConnection(connection) ? connection : undefined
}

const isNativeConnection = (value: unknown): value is NativeConnection =>
  Predicate.hasProperty(value, "id") &&
  Predicate.isFunction(value.id) &&
  Predicate.hasProperty(value, "inboundStream") &&
  Predicate.isFunction(value.inboundStream) &&
  Predicate.hasProperty(value, "outboundStream") &&
  Predicate.isFunction(value.outboundStream)

/** How a stream of the module came to its end, by what its error says (quinn's `ReadError` and `WriteError`). */
export const endOf = (error: unknown): "reset" | "stopped" | "lost" => {
  const text = error instanceof Error ? error.message : String(error)
  if (/\breset\b/i.test(text)) return "reset"
  return /\bstopped\b/i.test(text) ? "stopped" : "lost"
}
