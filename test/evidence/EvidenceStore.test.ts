import { FileSystem, Error as PlatformError } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, Logger, Ref } from "effect"
import { decodeEvidence, type Evidence } from "../../src/evidence/Evidence.ts"
import { type EvidenceBounds, EvidenceStore } from "../../src/evidence/EvidenceStore.ts"
import * as FolderEvidence from "../../src/evidence/FolderEvidence.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { piece } from "./Pieces.ts"
import { eventually } from "../Eventually.ts"

const quietly = Effect.provide(Logger.remove(Logger.defaultLogger))

/** A place that outlives the stores over it. */
interface Place {
  readonly layer: (bounds: EvidenceBounds) => Layer.Layer<EvidenceStore>
  /** What is kept by name, oldest first. */
  readonly kept: Effect.Effect<ReadonlyArray<readonly [name: string, evidence: Evidence]>>
}

const tempFolder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

const readFolder = (path: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const names = (yield* fs.exists(path)) ? (yield* fs.readDirectory(path)).sort() : []
    return yield* Effect.forEach(names, (name) =>
      Effect.map(
        fs.readFileString(`${path}/${name}`),
        (text) => [name, Either.getOrThrow(decodeEvidence(text))] as const
      )
    )
  }).pipe(Effect.provide(NodeFileSystem.layer), Effect.orDie)

const folderPlace = Effect.gen(function* () {
  const path = `${yield* tempFolder}/dasmon.db.evidence`
  const place: Place = {
    layer: (bounds) => FolderEvidence.layer({ path, ...bounds }),
    kept: readFolder(path)
  }
  return place
})

const memoryPlace = Effect.sync((): Place => {
  const pieces = new Map<string, Evidence>()
  return {
    layer: (bounds) => MemoryEvidence.layer(bounds, pieces),
    kept: Effect.sync(() => [...pieces].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
})

const block = 4096
/** Pieces of one block each. */
const bounds = (all: number, perPeer: number): EvidenceBounds => ({
  maxBytes: all * block,
  maxBytesPerPeer: perPeer * block
})
const minute = 60_000

const keep = (...pieces: ReadonlyArray<Evidence>) => Effect.flatMap(EvidenceStore, (store) => store.keep(pieces))
const keeping = Effect.flatMap(EvidenceStore, (store) => store.state)

/** Peer and minute of everything that is kept. */
const shown = (place: Place) =>
  Effect.map(place.kept, (kept) =>
    kept.map(([, { accusation, peer }]) => `${peer.peerId}${accusation.judgedAt / minute}`)
  )

const of = (peer: string, ...minutes: ReadonlyArray<number>) => minutes.map((at) => piece({ peer, at: at * minute }))

for (const [name, makePlace] of [
  ["memory", memoryPlace],
  ["folder", folderPlace]
] as const) {
  describe(`EvidenceStore in ${name}`, () => {
    const test = (what: string, body: (place: Place) => Effect.Effect<unknown>) =>
      it.scoped(what, () => Effect.flatMap(makePlace, body).pipe(Effect.provide(NodeFileSystem.layer), quietly))

    test("keeps every piece as it was, under a name that tells when, what and who", (place) =>
      Effect.gen(function* () {
        const pieces = [
          piece({ peer: "16UiuA", at: Date.UTC(2026, 7, 2, 10, 5, 7, 9), bytes: 9000 }),
          piece({ peer: "16UiuA", at: Date.UTC(2026, 7, 2, 10, 5, 7, 9), column: 5 }),
          piece({ peer: "../b", at: Date.UTC(2026, 7, 3) })
        ]
        yield* Effect.provide(
          Effect.gen(function* () {
            yield* keep()
            assert.deepStrictEqual(yield* keeping, { state: "keeping", reason: null, pieces: 0, bytes: 0, lost: 0 })
            yield* keep(...pieces)
            assert.deepStrictEqual(yield* keeping, {
              state: "keeping",
              reason: null,
              pieces: 3,
              bytes: 6 * block,
              lost: 0
            })
          }),
          place.layer(bounds(100, 100))
        )
        const kept = yield* place.kept
        const slot = pieces[0]?.block.slot
        assert.deepStrictEqual(
          kept.map(([name]) => name),
          [
            `20260802T100507.009Z_slot${slot}_column5_16UiuA.json`,
            `20260802T100507.009Z_slot${slot}_column63_16UiuA.json`,
            `20260803T000000.000Z_slot${slot}_column63_b.json`
          ]
        )
        assert.deepStrictEqual(
          kept.map(([, evidence]) => evidence),
          [1, 0, 2].flatMap((index) => pieces[index] ?? [])
        )
      }))

    test("lets a peer that floods push out its own oldest only", (place) =>
      Effect.gen(function* () {
        yield* keep(...of("a", 1), ...of("b", 2, 3, 4, 5, 6, 7, 8, 9), ...of("c", 10))
        assert.deepStrictEqual(yield* shown(place), ["a1", "b7", "b8", "b9", "c10"])
      }).pipe(Effect.provide(place.layer(bounds(5, 3)))))

    test("pushes out the oldest of all when all together is too much", (place) =>
      Effect.gen(function* () {
        for (const minute of [1, 2, 3, 4, 5, 6, 7]) yield* keep(...of(`p${minute % 4}x`, minute))
        assert.deepStrictEqual(yield* shown(place), ["p1x5", "p2x6", "p3x7"])
        assert.deepInclude(yield* keeping, { pieces: 3, bytes: 3 * block, lost: 0 })
      }).pipe(Effect.provide(place.layer(bounds(3, 3)))))

    test("keeps nothing else out for a piece that never fits, and counts it", (place) =>
      Effect.gen(function* () {
        yield* keep(...of("a", 1))
        yield* keep(piece({ peer: "a", at: 2 * minute, bytes: 20_000 }))
        assert.deepStrictEqual(yield* shown(place), ["a1"])
        assert.deepInclude(yield* keeping, { pieces: 1, lost: 1 })
      }).pipe(Effect.provide(place.layer(bounds(5, 3)))))
  })
}

/** Node's file system, in which what writes fails while `broken` is set. */
const fragile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const broken = yield* Ref.make(false)
  const full = new PlatformError.SystemError({
    reason: "Unknown",
    module: "FileSystem",
    method: "writeFile",
    description: "ENOSPC: no space left on device"
  })
  const layer = Layer.succeed(FileSystem.FileSystem, {
    ...fs,
    writeFile: (path, data, options) =>
      Effect.flatMap(Ref.get(broken), (isBroken) =>
        isBroken
          ? Effect.zipRight(fs.writeFile(path, data.subarray(0, data.length / 2), options), full)
          : fs.writeFile(path, data, options)
      )
  })
  return { broken, layer }
})

const collectLogs = Effect.map(Ref.make<ReadonlyArray<string>>([]), (messages) => ({
  messages: Ref.get(messages),
  layer: Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => {
      Effect.runSync(Ref.update(messages, (all) => [...all, `${logLevel.label} ${String(message)}`]))
    })
  )
}))

describe("the folder", () => {
  it.scoped("counts what it held before: bounds hold across restarts, and half-written files go", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/e`
      const place = {
        layer: (bounds: EvidenceBounds) => FolderEvidence.layer({ path, ...bounds }),
        kept: readFolder(path)
      }
      yield* keep(...of("a", 1, 2, 3), ...of("b", 4)).pipe(Effect.provide(place.layer(bounds(20, 20))))
      const [first = ""] = yield* fs.readDirectory(path)
      yield* fs.writeFileString(`${path}/${first}.tmp`, "{")
      yield* Effect.provide(
        Effect.gen(function* () {
          yield* keep(...of("a", 5))
          assert.deepInclude(yield* keeping, { pieces: 4, bytes: 4 * block })
        }),
        place.layer(bounds(20, 3))
      )
      assert.deepStrictEqual(yield* shown(place), ["a2", "a3", "b4", "a5"])
      // A smaller bound is applied to what is there, with nothing to keep.
      yield* Effect.provide(
        eventually(Effect.map(shown(place), (all) => all.join() === "b4,a5")),
        place.layer(bounds(2, 2))
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("is not made before it is needed, and leaves alone what is not its own", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/e`
      yield* Effect.provide(Effect.zipRight(keep(), keeping), FolderEvidence.layer({ path, ...bounds(4, 4) }))
      assert.isFalse(yield* fs.exists(path))
      yield* fs.makeDirectory(path)
      yield* fs.writeFileString(`${path}/notes.txt`, "x".repeat(100_000))
      yield* keep(...of("a", 1, 2, 3)).pipe(Effect.provide(FolderEvidence.layer({ path, ...bounds(2, 2) })))
      assert.lengthOf(yield* fs.readDirectory(path), 3)
      assert.strictEqual((yield* fs.readFileString(`${path}/notes.txt`)).length, 100_000)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("that is full is said once, shown, costs only what comes meanwhile, and recovers by itself", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/e`
      const { broken, layer } = yield* fragile
      const logs = yield* collectLogs
      const place = { layer: () => FolderEvidence.layer({ path, ...bounds(9, 9) }), kept: readFolder(path) }
      yield* Effect.gen(function* () {
        yield* keep(...of("a", 1))
        yield* Ref.set(broken, true)
        yield* keep(...of("a", 2, 3))
        yield* keep(...of("b", 4))
        assert.deepInclude(yield* keeping, {
          state: "failing",
          reason: "ENOSPC: no space left on device",
          pieces: 1,
          lost: 3
        })
        assert.lengthOf(yield* fs.readDirectory(path), 1)
        yield* Ref.set(broken, false)
        yield* keep(...of("b", 5))
        assert.deepInclude(yield* keeping, { state: "keeping", reason: null, pieces: 2, lost: 3 })
        assert.deepStrictEqual(yield* shown(place), ["a1", "b5"])
        assert.deepStrictEqual(yield* logs.messages, [
          `WARN evidence folder ${path}: cannot be written: ENOSPC: no space left on device; still trying, meanwhile evidence is lost`,
          `INFO evidence folder ${path}: is written again`
        ])
      }).pipe(
        Effect.provide(FolderEvidence.layerOver({ path, ...bounds(9, 9) }).pipe(Layer.provide(layer))),
        Effect.provide(logs.layer)
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("that is a file is said, and kills nothing", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/e`
      yield* fs.writeFileString(path, "")
      const { lost, reason, state } = yield* keep(...of("a", 1)).pipe(
        Effect.zipRight(keeping),
        Effect.provide(FolderEvidence.layer({ path, ...bounds(9, 9) })),
        quietly
      )
      assert.deepStrictEqual([state, lost], ["failing", 1])
      assert.include(reason ?? "", "this is a file")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("loses a piece to a defect, counts it as one, and keeps the next", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/e`
      const trap = yield* Effect.once(Effect.dieMessage("an injected defect"))
      const logs = yield* collectLogs
      const trapped = Layer.succeed(FileSystem.FileSystem, {
        ...fs,
        writeFile: (...parameters) => Effect.zipRight(trap, fs.writeFile(...parameters))
      })
      yield* Effect.gen(function* () {
        yield* keep(...of("a", 1))
        const reason = "this is a bug in dasmon: an injected defect"
        assert.deepInclude(yield* keeping, { state: "failing", reason, lost: 1 })
        yield* keep(...of("a", 2))
        assert.deepInclude(yield* keeping, { state: "keeping", lost: 1, pieces: 1 })
        assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 1)
        assert.include(yield* logs.messages, "ERROR keeping of evidence failed")
      }).pipe(
        Effect.provide(
          FolderEvidence.layerOver({ path, ...bounds(9, 9) }).pipe(
            Layer.provide(trapped),
            Layer.provideMerge(Daemons.layer)
          )
        ),
        Effect.provide(logs.layer)
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scoped("is written to the end for a caller that is interrupted, also when the program ends", () =>
    Effect.gen(function* () {
      const path = `${yield* tempFolder}/e`
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(keep(...of("a", ...Array.from({ length: 40 }, (_, index) => index))))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provide(FolderEvidence.layer({ path, ...bounds(100, 100) })))
      assert.lengthOf(yield* readFolder(path), 40)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
