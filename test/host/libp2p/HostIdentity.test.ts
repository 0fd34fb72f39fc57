import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FileSystem } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { loadIdentity } from "../../../src/host/libp2p/HostIdentity.ts"
import { make } from "../../../src/host/libp2p/Libp2pHost.ts"

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-identity-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

const onDisk = Effect.provide(NodeFileSystem.layer)

/** A disk that takes ten bytes of a file and no more. */
const fullDisk = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) =>
    FileSystem.make({
      ...fs,
      open: (path, options) =>
        Effect.map(fs.open(path, options), (file) => ({
          ...file,
          writeAll: (bytes) => Effect.zipRight(file.writeAll(bytes.subarray(0, 10)), Effect.fail(noSpace(path)))
        }))
    })
  )
).pipe(Layer.provide(NodeFileSystem.layer))

const noSpace = (pathOrDescriptor: string) =>
  new SystemError({
    reason: "Unknown",
    module: "FileSystem",
    method: "writeAll",
    pathOrDescriptor,
    cause: new Error("ENOSPC: no space left on device, write")
  })

describe("HostIdentity", () => {
  it.scoped("is made once, in a file for its owner only", () =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "deeper", "key")
      const first = yield* loadIdentity(path)
      assert.deepStrictEqual(yield* loadIdentity(path), first)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.strictEqual(readFileSync(path, "utf8"), `${Buffer.from(first).toString("hex")}\n`)
      assert.deepStrictEqual(readdirSync(join(path, "..")), ["key"])
    }).pipe(onDisk)
  )

  it.scopedLive("makes a host the same peer at every start", () =>
    Effect.gen(function* () {
      const identityFile = join(yield* temporary, "key")
      const peerId = Effect.scoped(
        Effect.map(make({ version: "1", status: Effect.never, identityFile }), (host) => host.peerId)
      )
      assert.strictEqual(yield* peerId, yield* peerId)
    })
  )

  it.scoped("says what to do about a file that is none", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const path = join(folder, "key")
      for (const content of ["hello", "00".repeat(32), "ff".repeat(32), "ab".repeat(31)]) {
        writeFileSync(path, content)
        const error = yield* Effect.flip(loadIdentity(path))
        assert.strictEqual(error._tag, "IdentityError")
        assert.include(error.message, `${path}: not a private key`)
        assert.include(error.message, "delete this one")
        assert.strictEqual(readFileSync(path, "utf8"), content)
      }
      assert.match((yield* Effect.flip(loadIdentity(folder))).message, /it cannot be read: .*EISDIR/)
      assert.match((yield* Effect.flip(loadIdentity(join(path, "key")))).message, /it cannot be \w+: .*ENOTDIR/)
    }).pipe(onDisk)
  )

  it.scoped("leaves nothing behind on a full disk, and is made when there is room again", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const path = join(folder, "key")
      const error = yield* Effect.flip(Effect.provide(loadIdentity(path), fullDisk))
      assert.strictEqual(error.message, `${path}: it cannot be written: ENOSPC: no space left on device, write`)
      assert.deepStrictEqual(readdirSync(folder), [])
      assert.isTrue(Either.isRight(yield* Effect.either(loadIdentity(path))))
    }).pipe(onDisk)
  )

  it.scoped("takes an empty file for a fault and not for a new identity", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const path = join(folder, "key")
      for (const content of ["", "\n", "  \n\n"]) {
        writeFileSync(path, content)
        const { message } = yield* Effect.flip(loadIdentity(path))
        assert.include(message, `${path}: it is empty and holds no private key`)
        assert.include(message, "delete this one to get a new identity")
        assert.strictEqual(readFileSync(path, "utf8"), content)
      }
    }).pipe(onDisk)
  )

  it.scoped("takes what a start that was cut off left beside it for no key", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const path = join(folder, "key")
      writeFileSync(`${path}.tmp`, "abcdef", { mode: 0o644 })
      const key = yield* loadIdentity(path)
      assert.deepStrictEqual(yield* loadIdentity(path), key)
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.deepStrictEqual(readdirSync(folder), ["key"])
    }).pipe(onDisk)
  )
})
