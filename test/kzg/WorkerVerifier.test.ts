import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { type SidecarToVerify, type SidecarVerdict, Verifier } from "../../src/kzg/Verifier.ts"
import { layerWorkers } from "../../src/kzg/WorkerVerifier.ts"
import { vector } from "./Columns.ts"

const entry = new URL("../../dist/kzg/KzgWorker.js", import.meta.url)

/** A thread that gets ready, and does `onBatch` when a batch comes. */
const thread = (onBatch: string) =>
  script(
    `${onEnd} parentPort.on("message", ([kind]) => { if (kind === 0) { ${onBatch} } }); parentPort.postMessage([0])`
  )

const onEnd = `parentPort.on("message", ([kind]) => { if (kind === 1) parentPort.close() });`

const script = (code: string) =>
  new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from "node:worker_threads"; ${code}`)}`)

const verify = (sidecars: ReadonlyArray<SidecarToVerify>) =>
  Effect.flatMap(Verifier, (verifier) => verifier.verify(sidecars))

const tags = (verdicts: ReadonlyArray<SidecarVerdict>) =>
  verdicts.map((verdict) => (verdict._tag === "Invalid" ? verdict.check : verdict._tag))

/** The first such thread dies of its first batch; once the marker file is there it is the real thread. */
const diesOnce = (marker: string) =>
  script(`import { existsSync, writeFileSync } from "node:fs"
    const marker = ${JSON.stringify(marker)}
    if (existsSync(marker)) await import(${JSON.stringify(entry.href)})
    else {
      parentPort.on("message", () => {
        writeFileSync(marker, "")
        throw new Error("died")
      })
      parentPort.postMessage([0])
    }`)

/** Threads of this process, as libuv sees them. */
const threads = () =>
  process.getActiveResourcesInfo().filter((name) => name === "MessagePort" || name === "Worker").length

/** The same with one bit flipped, in the second cell. */
const corrupt = (sidecar: SidecarToVerify): SidecarToVerify => {
  const ssz = Uint8Array.from(sidecar.ssz)
  ssz[3_000] = (ssz[3_000] ?? 0) ^ 1
  return { ...sidecar, ssz }
}

describe("WorkerVerifier", () => {
  it.live("verifies in order and for several callers, and leaves no thread behind", () =>
    Effect.gen(function* () {
      const before = threads()
      yield* Effect.gen(function* () {
        assert.isAbove(threads(), before)
        const vectors = [vector("fulu", 0), vector("gloas", 0), vector("fulu", 63), vector("gloas", 63)]
        const many = Array.from({ length: 44 }, () => vectors).flat()
        const mixed = many.map((sidecar, index) => (index % 100 === 12 ? corrupt(sidecar) : sidecar))
        const verdicts = mixed.map((_, index) => (index % 100 === 12 ? "kzg_proof" : "Valid"))

        const answers = yield* Effect.all(
          // The first takes more than one batch.
          [verify(mixed), verify(vectors), verify(mixed.slice(0, 13)), verify([])],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(answers.map(tags), [verdicts, verdicts.slice(0, 4), verdicts.slice(0, 13), []])
        // The caller's bytes are read, not taken.
        assert.strictEqual(vectors[0]?.ssz.length, 13220)
      }).pipe(Effect.provide(layerWorkers({ size: 2, entry })))
      assert.strictEqual(threads(), before)
    })
  )

  it.live("says so when the program is not built", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        verify([]).pipe(Effect.provide(layerWorkers({ entry: new URL("./Absent.js", import.meta.url) })))
      )
      assert.match(error.reason, /Absent\.js: the program is not built/)
    })
  )

  it.live("fails, and hangs nobody, when threads never get ready", () =>
    Effect.gen(function* () {
      const before = threads()
      const error = yield* Effect.flip(
        verify([]).pipe(Effect.provide(layerWorkers({ size: 1, startLimit: "200 millis", entry: script(onEnd) })))
      )
      assert.match(error.reason, /not ready within 200ms/)
      assert.strictEqual(threads(), before)
    })
  )

  it.live("replaces a thread that dies and tries its batch once more", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-kzg-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true }))
      )
      const marker = join(folder, "died")
      yield* Effect.gen(function* () {
        assert.deepStrictEqual(tags(yield* verify([vector("fulu", 0), corrupt(vector("fulu", 63))])), [
          "Valid",
          "kzg_proof"
        ])
        assert.isTrue(existsSync(marker))
      }).pipe(Effect.provide(layerWorkers({ size: 1, entry: diesOnce(marker) })))
    }).pipe(Effect.scoped)
  )

  it.live("gives up on a batch whose threads always die", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        verify([vector("fulu", 0)]).pipe(Effect.provide(layerWorkers({ size: 1, entry: thread("process.exit(3)") })))
      )
      assert.match(error.reason, /exited with code 3/)
    })
  )

  it.scopedLive("tries a batch of several callers once, and then each by itself", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-kzg-"))),
        (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
      )
      const log = join(folder, "batches")
      const code = `fs.appendFileSync(${JSON.stringify(log)}, "x"); process.exit(3)`
      const dies = script(
        `import fs from "node:fs"; ${onEnd} parentPort.on("message", ([kind]) => { if (kind === 0) { ${code} } }); parentPort.postMessage([0])`
      )
      const both = Effect.all([verify([vector("fulu", 0)]), verify([vector("fulu", 63)])].map(Effect.either), {
        concurrency: 2
      })
      const results = yield* both.pipe(Effect.provide(layerWorkers({ size: 1, entry: dies })))
      assert.deepStrictEqual(
        results.map(({ _tag }) => _tag),
        ["Left", "Left"]
      )
      assert.lengthOf(readFileSync(log, "utf8"), 5)
    })
  )

  it.live("fails at once when threads die before they are ready", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        verify([]).pipe(Effect.provide(layerWorkers({ size: 2, entry: script("throw new Error('no setup')") })))
      )
      assert.match(error.reason, /no setup/)
    })
  )

  it.live("replaces a thread that takes too long", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        verify([vector("fulu", 0)]).pipe(
          Effect.provide(layerWorkers({ size: 1, batchLimit: "100 millis", entry: thread("") }))
        )
      )
      assert.match(error.reason, /a batch took longer than 100ms/)
    })
  )

  it.live("is off the event loop: nobody waits for a thread that hangs, and it ends with the scope", () =>
    Effect.gen(function* () {
      const before = threads()
      yield* Effect.gen(function* () {
        const verifier = yield* Verifier
        const waiting = yield* Effect.fork(verifier.verify([vector("fulu", 63)]))
        const error = yield* Effect.flip(verifier.verify([vector("fulu", 0)]))
        assert.match(error.reason, /no verdict within 300ms/)
        assert.isTrue(Exit.isFailure(yield* Fiber.await(waiting)))
      }).pipe(Effect.provide(layerWorkers({ size: 1, callLimit: "300 millis", entry: thread("for (;;);") })))
      assert.strictEqual(threads(), before)
    })
  )
})
