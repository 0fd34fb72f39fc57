import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream, TestClock } from "effect"
import { loadMetadata, metadataFileOf } from "../../../src/host/libp2p/OwnMetadata.ts"
import { make } from "../../../src/host/libp2p/Libp2pHost.ts"
import { decodeMetadata, metadataRequest } from "../../../src/wire/Handshake.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-metadata-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const onDisk = Effect.provide(NodeFileSystem.layer)

describe("our metadata", () => {
  it.scoped("keep their sequence number over restarts, and raise it when they change", () =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "deeper", "key.metadata")
      assert.deepStrictEqual(yield* loadMetadata(path), { sequenceNumber: 1, custodyGroupCount: 4 })
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.deepStrictEqual(yield* loadMetadata(path), { sequenceNumber: 1, custodyGroupCount: 4 })
      const more = { sequenceNumber: 2, custodyGroupCount: 8 }
      assert.deepStrictEqual(yield* loadMetadata(path, { custodyGroupCount: 8 }), more)
      assert.deepStrictEqual(yield* loadMetadata(path, { custodyGroupCount: 8 }), more)
      assert.deepStrictEqual(yield* loadMetadata(path), { sequenceNumber: 3, custodyGroupCount: 4 })
    }).pipe(onDisk)
  )

  it.scoped("never go back when what was said is lost, or cannot be kept", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_800_000_000_000)
      const folder = yield* temporary
      const path = join(folder, "key.metadata")
      for (const content of ["", "{", '{"sequenceNumber":-1,"custodyGroupCount":4}', '{"sequenceNumber":7}']) {
        writeFileSync(path, content)
        assert.strictEqual((yield* loadMetadata(path)).sequenceNumber, 1_800_000_001, content)
        assert.strictEqual((yield* loadMetadata(path)).sequenceNumber, 1_800_000_001, content)
      }
      // A folder can be neither read nor written as a file.
      assert.strictEqual((yield* loadMetadata(folder)).sequenceNumber, 1_800_000_001)
    }).pipe(onDisk)
  )

  it.scopedLive("are what a peer is told", () =>
    Effect.gen(function* () {
      const identityFile = join(yield* temporary, "key")
      writeFileSync(metadataFileOf(identityFile), '{"sequenceNumber":41,"custodyGroupCount":128}')
      const host = yield* make({ version: "1", status: Effect.never, identityFile })
      const asker = yield* make({ version: "1", status: Effect.never })
      const address = host.multiaddrs.map((text) => text.replace(/\/p2p\/.*$/, ""))
      yield* asker.connect({ peerId: host.peerId, multiaddrs: address, enrCustodyGroupCount: Option.none() })
      const answer = yield* asker.request(host.peerId, metadataRequest)
      const chunk = Option.getOrThrow(yield* Stream.runHead(answer.chunks))
      const { custodyGroupCount, sequenceNumber } = yield* decodeMetadata(chunk.ssz)
      assert.deepStrictEqual({ custodyGroupCount, sequenceNumber }, { custodyGroupCount: 4, sequenceNumber: 42 })
      assert.include(readFileSync(metadataFileOf(identityFile), "utf8"), "42")
    })
  )
})
