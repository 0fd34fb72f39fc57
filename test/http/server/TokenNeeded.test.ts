import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { raw } from "../Client.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

/** Ways to write a path that a router may take for the same. */
const spellings = (path: string): ReadonlyArray<string> => {
  const name = path.slice(1)
  const first = `%${name.charCodeAt(0).toString(16)}`
  return [
    path,
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `/.${path}`,
    `/x/..${path}`,
    `${path}/.`,
    `${path}.`,
    `${path}...`,
    `${path}%20`,
    `${path}%00`,
    `${path};a=b`,
    `${path}?x`,
    `${path}#x`,
    `${path}?`,
    `/${first}${name.slice(1)}`,
    `/%${first.slice(1).padStart(4, "25")}${name.slice(1)}`,
    path.toUpperCase(),
    `/${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    `http://127.0.0.1${path}`,
    `http://elsewhere.example${path}/`,
    `*${path}`
  ]
}

describe("what is for those with a token only", () => {
  for (const [path, body] of [
    ["/peers", { peers: ["hello"] }],
    ["/scan", { target: "hello" }]
  ] as const) {
    it.scoped(`POST ${path} reaches nothing where no token is set, however it is written`, () =>
      Effect.gen(function* () {
        const reached: Array<string> = []
        const fake = yield* makeFakeDasmon(4096, {
          givePeers: () => Effect.sync(() => (reached.push("givePeers"), [])),
          scan: () => Effect.dieSync(() => reached.push("scan"))
        })
        const server = layer({ host: "127.0.0.1", port: 0 }).pipe(Layer.provide(fake.layer))
        const { port } = Context.get(yield* Layer.build(server), HttpAddress)
        for (const spelling of spellings(path)) {
          const connection = yield* raw(port)
          const text = JSON.stringify(body)
          yield* connection.send(
            `POST ${spelling} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n` +
              `content-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`
          )
          yield* connection.ended
          const status = Number((yield* connection.received).toString().split(" ")[1])
          assert.deepStrictEqual(reached, [], spelling)
          assert.include([400, 403, 404, 405], status, spelling)
        }
      })
    )
  }
})
