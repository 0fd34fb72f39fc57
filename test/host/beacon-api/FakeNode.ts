import { Effect } from "effect"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"

/** What a fake beacon node does with a request: handles it (true), or leaves it, or one for another path, to the node behind. */
export type Handle = (path: string, request: IncomingMessage, response: ServerResponse) => boolean | string

/** A beacon node's API on 127.0.0.1 that hands every request which `handle` does not want to the node at `upstream`. */
export const fakeNode = (options: { readonly upstream?: string; readonly handle: Handle; readonly port?: number }) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    const server = createServer((request, response) => {
      const path = request.url ?? ""
      asked.push(path)
      const handled = options.handle(path, request, response)
      if (handled === true) return
      if (options.upstream === undefined) {
        json(response, { code: 404, message: "not found" }, 404)
        return
      }
      void pass(`${options.upstream}${handled === false ? path : handled}`, request, response).catch(() =>
        response.destroy()
      )
    })
    yield* Effect.acquireRelease(listen(server, options.port ?? 0), () => close(server))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return { url: `http://127.0.0.1:${port}`, port, asked, server, stop: close(server) }
  })

export const json = (response: ServerResponse, body: unknown, status = 200): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify(body))
}

const listen = (server: Server, port: number): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.listen(port, "127.0.0.1", () => resume(Effect.void))
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.async((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

const pass = async (url: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const answer = await fetch(url, { headers: { accept: request.headers.accept ?? "" } })
  const body = Buffer.from(await answer.arrayBuffer())
  const headers: Record<string, string> = { "content-type": answer.headers.get("content-type") ?? "" }
  const version = answer.headers.get("eth-consensus-version")
  if (version !== null) headers["eth-consensus-version"] = version
  response.writeHead(answer.status, headers)
  response.end(body)
}
