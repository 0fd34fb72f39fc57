import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import type { BlobRequest } from "../../../src/blobs/Blobs.ts"
import { BlobsNotRecoverable, type NoBlobs, NoSuchBlob, TooManyFetches } from "../../../src/domain/blobs/BlobErrors.ts"
import type { BlobAccount } from "../../../src/domain/blobs/FetchedBlobs.ts"
import { BlobAnswer } from "../../../src/http/api/BlobApi.ts"
import { HttpError } from "../../../src/http/server/HttpErrors.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { get } from "../Client.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

const account: BlobAccount = {
  slot: 7,
  blockRoot: `0x${"07".repeat(32)}`,
  blobs: 2,
  columns: [{ column: 3, peerId: null }],
  margin: -63,
  nobodyHad: [4],
  nobodyClaims: [],
  notAsked: [],
  peers: []
}

const start = (blobs: (request: BlobRequest) => Effect.Effect<never, NoBlobs> | ReturnType<typeof found>) =>
  Effect.gen(function* () {
    const fake = yield* makeFakeDasmon(64, { blobs })
    const context = yield* Layer.build(layer({ host: "127.0.0.1", port: 0 }).pipe(Layer.provide(fake.layer)))
    return Context.get(context, HttpAddress).url
  })

const found = ({ indices: [index = 0] = [] }: BlobRequest) => {
  const bytes = (length: number) => new Uint8Array(length).fill(index)
  const blob = { index, commitment: bytes(48), versionedHash: bytes(32), blob: bytes(131_072) }
  return Effect.succeed({ blobs: [blob], isRecovered: true, account })
}

describe("GET /slots/:slot/blobs/:index", () => {
  it.scopedLive("gives the blob with what it is known by, and where it came from", () =>
    Effect.gen(function* () {
      const asked: Array<BlobRequest> = []
      const url = yield* start((request) => {
        asked.push(request)
        return found(request)
      })
      const { status, text } = yield* get(`${url}/slots/7/blobs/1`)
      assert.strictEqual(status, 200, text)
      assert.deepStrictEqual(yield* Schema.decode(Schema.parseJson(BlobAnswer), { onExcessProperty: "error" })(text), {
        index: 1,
        commitment: `0x${"01".repeat(48)}`,
        versionedHash: `0x${"01".repeat(32)}`,
        blob: `0x${"01".repeat(131_072)}`,
        recovered: true,
        account
      })
      assert.deepStrictEqual(asked, [{ block: { slot: 7 }, indices: [1] }])
    })
  )

  it.scopedLive("says why there is none", () =>
    Effect.gen(function* () {
      const errors: ReadonlyArray<readonly [number, NoBlobs]> = [
        [404, new NoSuchBlob({ slot: 7, reason: "its block has no blobs" })],
        [404, new BlobsNotRecoverable({ present: 1, missing: [4], isSettled: true, account })],
        [429, new TooManyFetches({ limit: 4, retryAfterSeconds: 5 })]
      ]
      for (const [expected, error] of errors) {
        const url = yield* start(() => error)
        const { headers, status, text } = yield* get(`${url}/slots/7/blobs/0`)
        assert.strictEqual(status, expected)
        const told = yield* Schema.decode(Schema.parseJson(HttpError), { onExcessProperty: "error" })(text)
        assert.deepStrictEqual({ ...told }, { ...error })
        if (status === 429) assert.strictEqual(headers["retry-after"], "5")
      }
      const bad = yield* get(`${yield* start(found)}/slots/7/blobs/4096`)
      assert.strictEqual(bad.status, 400)
    })
  )
})
