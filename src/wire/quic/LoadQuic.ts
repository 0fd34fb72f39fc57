import "../Polyfill.ts"
import type { ComponentLogger, Metrics, PrivateKey, Transport } from "@libp2p/interface"
import { Effect, Schema } from "effect"
import { messageOf, oneLine } from "../../domain/Text.ts"
import { quicTransport } from "./QuicTransport.ts"

/** The native module for QUIC cannot be used on this machine; TCP does not need it. */
export class QuicUnavailable extends Schema.TaggedError<QuicUnavailable>()("QuicUnavailable", {
  reason: Schema.String
}) {
  override get message(): string {
    return `QUIC cannot be used here, only TCP: ${this.reason}`
  }
}

/** What a transport needs of its node. */
interface Components {
  readonly metrics?: Metrics
  readonly logger: ComponentLogger
  readonly privateKey: PrivateKey
}

/** For the `transports` of `createLibp2p`. */
export type Quic = (components: Components) => Transport

/** The module has a prebuilt binary for each of the usual platforms, and is not there on others. */
export const loadQuic: Effect.Effect<Quic, QuicUnavailable> = Effect.tryPromise({
  try: () => import("@chainsafe/libp2p-quic"),
  catch: (cause) => new QuicUnavailable({ reason: oneLine(messageOf(cause)).slice(0, 300) })
}).pipe(
  Effect.map(
    ({ quic }): Quic =>
      (components) =>
        quicTransport(quic(options)(components), components.logger)
  )
)

const options = {
  // As with the other muxers: what a peer may have under way while we are not reading.
  maxStreamData: 2 ** 20,
  maxConnectionData: 2 ** 24,
  maxConcurrentStreamLimit: 128
}
