import * as Http from "node:http"
import * as Https from "node:https"
import { gunzipSync } from "node:zlib"
import * as Grpc from "@grpc/grpc-js"
import { Effect, Schema } from "effect"
import { readRequest, writeResponse } from "../XatuProto.ts"

const Wrapped = Schema.Struct({ value: Schema.optional(Schema.Union(Schema.String, Schema.Number)) })
const Period = Schema.Struct({ number: Wrapped, start_date_time: Schema.Unknown })
const OnePeer = Schema.Struct({ metadata: Schema.Struct({ peer_id: Wrapped }) })
const anything = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** As much of an event as the tests look at one by one. */
export const ServerEvent = Schema.Struct({
  event: Schema.Struct({
    name: Schema.String,
    date_time: Schema.Struct({ seconds: Schema.String, nanos: Schema.optional(Schema.Number) }),
    id: Schema.String
  }),
  meta: Schema.Struct({
    client: Schema.Struct({
      name: Schema.String,
      version: Schema.String,
      id: Schema.String,
      implementation: Schema.String,
      os: Schema.String,
      ethereum: anything,
      libp2p_trace_connected: Schema.optional(OnePeer),
      libp2p_trace_handle_metadata: Schema.optional(OnePeer),
      libp2p_trace_handle_status: Schema.optional(OnePeer),
      libp2p_trace_synthetic_heartbeat: Schema.optional(OnePeer),
      libp2p_trace_rpc_data_column_custody_probe: Schema.optional(
        Schema.Struct({
          metadata: Schema.Struct({ peer_id: Wrapped }),
          epoch: Period,
          slot: Period,
          wallclock_epoch: Period,
          wallclock_slot: Period
        })
      )
    })
  }),
  libp2p_trace_connected: Schema.optional(anything),
  libp2p_trace_handle_metadata: Schema.optional(anything),
  libp2p_trace_handle_status: Schema.optional(anything),
  libp2p_trace_synthetic_heartbeat: Schema.optional(anything),
  libp2p_trace_gossipsub_data_column_sidecar: Schema.optional(anything),
  libp2p_trace_rpc_data_column_custody_probe: Schema.optional(
    Schema.Struct({ peer_id: Schema.optional(Wrapped), slot: Wrapped }, anything)
  )
})
export type ServerEvent = typeof ServerEvent.Type

const Request = Schema.Struct({ events: Schema.Array(ServerEvent) })

interface Batch {
  readonly events: ReadonlyArray<ServerEvent>
  readonly headers: Readonly<Record<string, string>>
}

/** What the server does with a batch that it can read. */
type Mood = "takes" | "sink fails" | "unavailable" | "busy"

export interface XatuServer {
  readonly port: number
  /** Every batch that was taken. */
  readonly batches: Array<Batch>
  /** Every request, also those that were refused: events in each, -1 for one that was not read. */
  readonly requests: Array<number>
  mood: Mood
  /** What the server says of an event that it does not like. */
  complaint: (event: ServerEvent) => string | undefined
  /** Stops listening and cuts the connections. */
  readonly stop: Effect.Effect<void>
}

export interface ServerOptions {
  readonly port?: number
  /** `user:password`. */
  readonly credentials?: string
  readonly tls?: { readonly key: Buffer; readonly cert: Buffer }
}

type Answer =
  | { readonly _tag: "Taken"; readonly body: Uint8Array }
  | { readonly _tag: "Failed"; readonly grpc: Grpc.status; readonly http: number; readonly text: string }

/** The rules of both of Xatu's services: a batch is taken whole, or not at all. */
const makeService = (options: ServerOptions) => {
  const service: Omit<XatuServer, "port" | "stop"> = {
    batches: [],
    requests: [],
    mood: "takes",
    complaint: () => undefined
  }
  const failed = (grpc: Grpc.status, http: number, text: string): Answer => ({ _tag: "Failed", grpc, http, text })

  const handle = (bytes: () => Uint8Array, headers: Readonly<Record<string, string>>): Answer => {
    service.requests.push(-1)
    const { credentials } = options
    if (
      credentials !== undefined &&
      headers["authorization"] !== `Basic ${Buffer.from(credentials).toString("base64")}`
    ) {
      return failed(Grpc.status.UNAUTHENTICATED, 401, "unauthorized")
    }
    if (service.mood === "unavailable") return failed(Grpc.status.UNAVAILABLE, 503, "starting")
    if (service.mood === "busy") return failed(Grpc.status.RESOURCE_EXHAUSTED, 429, "slow down")
    const request = Schema.decodeUnknownEither(Request)(readRequest(bytes()))
    if (request._tag === "Left") return failed(Grpc.status.INTERNAL, 400, request.left.message)
    const { events } = request.right
    service.requests[service.requests.length - 1] = events.length
    const wrong = events.map((event) => ruleOf(event) ?? service.complaint(event)).find((text) => text !== undefined)
    if (wrong !== undefined) return failed(Grpc.status.INTERNAL, 500, wrong)
    if (service.mood === "sink fails") return failed(Grpc.status.INTERNAL, 500, "kafka: leader not available")
    service.batches.push({ events, headers })
    return { _tag: "Taken", body: writeResponse(events.length) }
  }
  return { service, handle }
}

/** Why Xatu refuses an event, and its batch with it. */
const ruleOf = (event: ServerEvent): string | undefined => {
  switch (event.event.name) {
    case "LIBP2P_TRACE_RPC_DATA_COLUMN_CUSTODY_PROBE": {
      const data = event.libp2p_trace_rpc_data_column_custody_probe
      if (data === undefined) return "failed to cast event data to TraceRpcDataColumnCustodyProbe"
      return (data.peer_id?.value ?? "") === "" ? "peer_id is required" : undefined
    }
    case "LIBP2P_TRACE_GOSSIPSUB_DATA_COLUMN_SIDECAR":
      return event.libp2p_trace_gossipsub_data_column_sidecar === undefined
        ? "failed to cast event data to TraceGossipSubDataColumnSidecar"
        : undefined
    case "LIBP2P_TRACE_SYNTHETIC_HEARTBEAT":
      if (event.libp2p_trace_synthetic_heartbeat === undefined) return "failed to cast event data to heartbeat"
      return event.libp2p_trace_synthetic_heartbeat["remote_peer"] === undefined ? "remote peer is nil" : undefined
    case "LIBP2P_TRACE_CONNECTED":
      return event.libp2p_trace_connected === undefined ? "failed to cast event data to TraceConnected" : undefined
    case "LIBP2P_TRACE_HANDLE_METADATA":
      return event.libp2p_trace_handle_metadata === undefined ? "failed to cast event data" : undefined
    case "LIBP2P_TRACE_HANDLE_STATUS":
      return event.libp2p_trace_handle_status === undefined ? "failed to cast event data" : undefined
    default:
      return `event ${event.event.name} is unknown`
  }
}

export const startGrpc = (options: ServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.async<XatuServer, Error>((resume) => {
      const { handle, service } = makeService(options)
      const server = new Grpc.Server({ "grpc.max_receive_message_length": 100 * 2 ** 20 })
      const bytes = (value: Buffer): Buffer => value
      server.addService(
        {
          CreateEvents: {
            path: "/xatu.EventIngester/CreateEvents",
            requestStream: false,
            responseStream: false,
            requestSerialize: bytes,
            requestDeserialize: bytes,
            responseSerialize: bytes,
            responseDeserialize: bytes
          }
        },
        {
          CreateEvents: (call: Grpc.ServerUnaryCall<Buffer, Buffer>, callback: Grpc.sendUnaryData<Buffer>) => {
            const headers = Object.fromEntries(
              Object.entries(call.metadata.getMap()).map(([name, value]) => [name, value.toString()])
            )
            const answer = handle(() => call.request, headers)
            if (answer._tag === "Taken") callback(null, Buffer.from(answer.body))
            else callback({ code: answer.grpc, details: answer.text })
          }
        }
      )
      const credentials =
        options.tls === undefined
          ? Grpc.ServerCredentials.createInsecure()
          : Grpc.ServerCredentials.createSsl(null, [{ private_key: options.tls.key, cert_chain: options.tls.cert }])
      server.bindAsync(`127.0.0.1:${options.port ?? 0}`, credentials, (error, port) =>
        resume(
          error === null
            ? Effect.succeed(
                Object.assign(service, {
                  port,
                  stop: Effect.sync(() => server.forceShutdown())
                } satisfies Partial<XatuServer>)
              )
            : Effect.fail(error)
        )
      )
    }),
    (server) => server.stop
  )

export const startHttp = (options: ServerOptions = {}) =>
  Effect.acquireRelease(
    Effect.async<XatuServer, Error>((resume) => {
      const { handle, service } = makeService(options)
      const listener: Http.RequestListener = (request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("end", () => {
          const { headers } = request
          const known = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
          const refuse = (status: number, text: string) => response.writeHead(status).end(text)
          if (request.url !== "/v1/events") return refuse(404, "not found")
          if (request.method !== "POST") return refuse(405, "method not allowed")
          const answer = handle(() => {
            const body = Buffer.concat(parts)
            return headers["content-encoding"] === "gzip" ? gunzipSync(body) : body
          }, known)
          if (answer._tag === "Failed" && answer.http === 401) return refuse(401, "unauthorized")
          if (headers["content-type"] !== "application/x-protobuf") return refuse(415, "unsupported media type")
          if (answer._tag === "Failed") return refuse(answer.http, answer.text)
          return response.writeHead(202, { "content-type": "application/x-protobuf" }).end(answer.body)
        })
      }
      const server = options.tls === undefined ? Http.createServer(listener) : Https.createServer(options.tls, listener)
      server.on("error", (error) => resume(Effect.fail(error)))
      server.listen(options.port ?? 0, "127.0.0.1", () => {
        const { port } = Schema.decodeUnknownSync(Schema.Struct({ port: Schema.Int }))(server.address())
        resume(
          Effect.succeed(
            Object.assign(service, {
              port,
              stop: Effect.async<void>((done) => {
                server.close(() => done(Effect.void))
                server.closeAllConnections()
              })
            } satisfies Partial<XatuServer>)
          )
        )
      })
    }),
    (server) => server.stop
  )
