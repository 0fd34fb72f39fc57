import { FetchHttpClient, HttpClient, HttpClientRequest, type HttpMethod, Socket } from "@effect/platform"
import { NodeSocket } from "@effect/platform-node"
import { Effect, Exit, Mailbox, Schema } from "effect"
import * as Http from "node:http"
import * as Net from "node:net"
import { StreamMessage } from "../../src/http/stream/StreamMessage.ts"

/** Status, headers and text of a GET, or of another request. */
export const get = (
  url: string,
  options: { readonly method?: HttpMethod.HttpMethod; readonly headers?: Record<string, string> } = {}
) =>
  HttpClient.execute(HttpClientRequest.make(options.method ?? "GET")(url, { headers: options.headers })).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.text, (text) => ({ status: response.status, headers: response.headers, text }))
    ),
    Effect.scoped,
    Effect.provide(FetchHttpClient.layer)
  )

const decodeMessage = Schema.decodeUnknown(Schema.parseJson(StreamMessage), { onExcessProperty: "error" })

/** A WebSocket client: `next` is the next message, decoded; when the server closes it fails with the socket's error. */
export const connect = (url: string) =>
  Effect.gen(function* () {
    const messages = yield* Mailbox.make<string, Socket.SocketError>()
    const socket = yield* Socket.makeWebSocket(url.replace("http", "ws"), { closeCodeIsError: () => true })
    yield* socket
      .runRaw((data) => void messages.unsafeOffer(typeof data === "string" ? data : new TextDecoder().decode(data)))
      .pipe(Mailbox.into(messages), Effect.forkScoped)
    return { next: Effect.flatMap(messages.take, decodeMessage), write: yield* socket.writer }
  }).pipe(Effect.provide(NodeSocket.layerWebSocketConstructor))

/** A client of `/events`: `next` is the next message, decoded, with the `id` and `event` that came with it. */
export const connectEvents = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function* () {
    const blocks = yield* Mailbox.make<string>()
    const response = yield* Effect.acquireRelease(
      Effect.async<Http.IncomingMessage, Error>((resume) => {
        const request = Http.get(url, { headers, agent: false }, (response) => resume(Effect.succeed(response)))
        request.on("error", (error) => resume(Effect.fail(error)))
      }),
      (response) => Effect.sync(() => void response.destroy())
    )
    let rest = ""
    response.setEncoding("utf8").on("data", (text: string) => {
      const parts = `${rest}${text}`.split("\n\n")
      rest = parts.pop() ?? ""
      for (const part of parts) blocks.unsafeOffer(part)
    })
    response.on("error", () => undefined)
    response.on("close", () => blocks.unsafeDone(Exit.void))
    return {
      status: response.statusCode,
      headers: response.headers,
      response,
      next: Effect.gen(function* () {
        let fields = fieldsOf(yield* blocks.take)
        while (!("data" in fields)) fields = fieldsOf(yield* blocks.take)
        return { id: fields["id"], event: fields["event"], message: yield* decodeMessage(fields["data"]) }
      })
    }
  })

const fieldsOf = (block: string): Readonly<Record<string, string>> =>
  Object.fromEntries(block.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]))

/** A TCP connection that does exactly what it is told: `read` waits until the text so far satisfies `until`. */
export const raw = (port: number) =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.async<Net.Socket, Error>((resume) => {
        const socket = Net.connect({ port, host: "127.0.0.1" })
        socket.once("connect", () => resume(Effect.succeed(socket)))
        socket.once("error", (error) => resume(Effect.fail(error)))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    const parts: Array<Buffer> = []
    let size = 0
    let ended = false
    socket.on("data", (bytes: Buffer) => {
      parts.push(bytes)
      size += bytes.length
    })
    socket.on("error", () => undefined)
    socket.on("close", () => (ended = true))
    socket.on("end", () => (ended = true))
    return {
      socket,
      send: (text: string | Uint8Array) => Effect.sync(() => void socket.write(text)),
      received: Effect.sync(() => Buffer.concat(parts, size)),
      /** Until the server has closed. */
      ended: Effect.async<void>((resume) => {
        if (ended) return resume(Effect.void)
        socket.once("close", () => resume(Effect.void))
        socket.once("end", () => resume(Effect.void))
      }),
      /** Until a byte came that is not in `received` yet. */
      more: Effect.async<void>((resume) => void socket.once("data", () => resume(Effect.void)))
    }
  })

export const upgradeRequest = (port: number, extra: ReadonlyArray<string> = []) =>
  [
    "GET /ws HTTP/1.1",
    `Host: 127.0.0.1:${port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...extra,
    "",
    ""
  ].join("\r\n")

/** The unmasked frames in `bytes`, after the HTTP header: opcode and payload. */
export const framesOf = (bytes: Buffer): ReadonlyArray<{ readonly opcode: number; readonly payload: Buffer }> => {
  const frames: Array<{ opcode: number; payload: Buffer }> = []
  let at = bytes.indexOf("\r\n\r\n") + 4
  while (at + 2 <= bytes.length) {
    const opcode = bytes.readUInt8(at) & 0x0f
    const short = bytes.readUInt8(at + 1) & 0x7f
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))
    if (at + header + length > bytes.length) break
    frames.push({ opcode, payload: bytes.subarray(at + header, at + header + length) })
    at += header + length
  }
  return frames
}
