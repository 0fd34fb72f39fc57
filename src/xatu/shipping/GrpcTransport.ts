import { ChannelCredentials, Client, compressionAlgorithms, Metadata, type ServiceError, status } from "@grpc/grpc-js"
import { Clock, Effect, Layer, Option } from "effect"
import { decodeIngested } from "../event/Codec.ts"
import { printable } from "../../domain/Text.ts"
import { AccessDenied, BatchRefused, type SendError, sendLimitMs, ServerUnavailable, Transport } from "./Transport.ts"

export interface GrpcOptions {
  readonly host: string
  readonly port: number
  /** PEM of the authorities to trust, or `system` for those of Node; none is plaintext. */
  readonly tls: Option.Option<Uint8Array | "system">
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** `/xatu.EventIngester/CreateEvents`, every message in gzip. */
export const layer = (options: GrpcOptions): Layer.Layer<Transport> => Layer.scoped(Transport, make(options))

const make = Effect.fnUntraced(function* ({ headers, host, port, tls }: GrpcOptions) {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`
  const credentials = Option.match(tls, {
    onNone: () => ChannelCredentials.createInsecure(),
    onSome: (trusted) => ChannelCredentials.createSsl(trusted === "system" ? null : Buffer.from(trusted))
  })
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new Client(target, credentials, channelOptions)),
    (client) => Effect.sync(() => client.close())
  )
  const metadata = new Metadata()
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value)

  const send = (request: Uint8Array, deadline: number) =>
    Effect.async<Option.Option<number>, SendError>((resume) => {
      const call = client.makeUnaryRequest(
        "/xatu.EventIngester/CreateEvents",
        (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        decodeIngested,
        request,
        metadata,
        { deadline },
        (error, ingested) =>
          resume(error === null ? Effect.succeed(ingested ?? Option.none()) : Effect.fail(sendError(error)))
      )
      return Effect.sync(() => call.cancel())
    })

  return Transport.of({
    name: `${Option.isSome(tls) ? "grpcs" : "grpc"}://${target}`,
    send: (request) => Effect.flatMap(Clock.currentTimeMillis, (now) => send(request, now + sendLimitMs))
  })
})

const channelOptions = {
  "grpc.default_compression_algorithm": compressionAlgorithms.gzip,
  "grpc.keepalive_time_ms": 150_000,
  "grpc.keepalive_timeout_ms": 30_000,
  "grpc.initial_reconnect_backoff_ms": 500,
  "grpc.max_reconnect_backoff_ms": 10_000,
  // What is tried again, and when, is decided for whole batches.
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1
}

const sendError = ({ code, details }: ServiceError): SendError => {
  const reason = printable(`${status[code]}: ${details}`, 300)
  switch (code) {
    case status.RESOURCE_EXHAUSTED:
      return /larger than max/i.test(details) ? new BatchRefused({ reason }) : new ServerUnavailable({ reason })
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED:
    case status.ABORTED:
      return new ServerUnavailable({ reason })
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return new AccessDenied({ reason: `${reason} (check xatu.username and xatu.password, or xatu.headers)` })
    case status.UNIMPLEMENTED:
      return new AccessDenied({ reason: `${reason} (xatu.address is not the gRPC service of a Xatu server)` })
    default:
      return new BatchRefused({ reason })
  }
}
