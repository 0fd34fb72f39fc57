import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { dataColumnSidecars, frameOf } from "../../src/domain/column/MakeSidecars.ts"
import { viewSidecar } from "../../src/domain/column/SidecarView.ts"
import { seeded } from "../../src/devnet/chain/Random.ts"
import { layerInline } from "../../src/kzg/InlineRecoverer.ts"
import { KzgThreads } from "../../src/kzg/KzgThreads.ts"
import { matrixOf, Recoverer } from "../../src/kzg/Recoverer.ts"
import { makeRecoverer } from "../../src/kzg/RecoverColumns.ts"
import { Verifier } from "../../src/kzg/Verifier.ts"
import * as WorkerRecoverer from "../../src/kzg/WorkerRecoverer.ts"
import * as WorkerVerifier from "../../src/kzg/WorkerVerifier.ts"
import { shared } from "../Shared.ts"
import { provenBlock } from "./Blocks.ts"
import { vector } from "./Columns.ts"

const entry = new URL("../../dist/kzg/KzgWorker.js", import.meta.url)
const threads = (size: number) => KzgThreads.layer({ size, entry })

const all = Array.from({ length: 128 }, (_, column) => column)
const from = (start: number, count: number): ReadonlyArray<number> => all.slice(start, start + count)
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex")

/** Changes a byte of the column's cell of the first row. */
const corrupt = (columns: Map<number, Uint8Array>, column: number, fork = "fulu"): Map<number, Uint8Array> => {
  const ssz = columns.get(column) ?? new Uint8Array(500)
  const at = (fork === "fulu" ? 356 : 56) + 40
  ssz[at] = (ssz[at] ?? 0) ^ 1
  return columns
}

/** What every recoverer does. */
const layers: ReadonlyArray<readonly [string, Layer.Layer<Recoverer, unknown>]> = [
  ["inline", layerInline],
  ["in worker threads", Layer.provide(WorkerRecoverer.layer(), threads(1))]
]
for (const [name, layer] of layers) {
  shared(`a recoverer ${name}`, Layer.orDie(layer), (it) => {
    it.each(["fulu", "gloas"] as const)("computes all of a block of %s from any 64 columns", (fork) =>
      Effect.gen(function* () {
        const { block, columns, row } = yield* provenBlock(fork, 2)
        const random = seeded(3, fork)
        const some = all.map((column) => [random.below(2 ** 30), column] as const).sort(([a], [b]) => a - b)
        const given = columns(some.slice(0, 64).map(([, column]) => column))
        const recovered = yield* Effect.flatMap(Recoverer, ({ recover }) => recover(block, given))
        assert.deepStrictEqual(recovered.bad, [])
        assert.deepStrictEqual(
          recovered.rows.map((one) => [one.row, hex(one.cells), hex(one.proofs), hex(one.blob)]),
          [0, 1].map((index) => [index, hex(row(index).cells), hex(row(index).proofs), hex(row(index).blob)])
        )
        // And the sidecars that nobody gave come out as they were.
        const [ssz = new Uint8Array()] = given.values()
        const frame = frameOf(yield* viewSidecar(fork, ssz), ssz)
        const made = dataColumnSidecars(frame, matrixOf(recovered.rows), 2)
        for (const [column, expected] of columns(all)) assert.strictEqual(hex(made.get(column)), hex(expected))
        // The caller's bytes are read, not taken.
        assert.strictEqual(hex(ssz), hex(columns([...given.keys()]).get([...given.keys()][0] ?? 0)))
      })
    )

    it.live("gives the rows that are wanted", () =>
      Effect.gen(function* () {
        const { block, columns, row } = yield* provenBlock("fulu", 3)
        const { recover } = yield* Recoverer
        const { rows } = yield* recover(block, columns(from(64, 64)), [2])
        assert.deepStrictEqual(
          rows.map((one) => [one.row, hex(one.blob)]),
          [[2, hex(row(2).blob)]]
        )
      })
    )

    it.live("names a wrong column and uses the others", () =>
      Effect.gen(function* () {
        const { block, columns, row } = yield* provenBlock("fulu", 2)
        const { blobs, recover } = yield* Recoverer
        const given = corrupt(columns(from(30, 66)), 41)
        given.set(31, columns([32]).get(32) ?? new Uint8Array())
        const recovered = yield* recover(block, given)
        assert.deepStrictEqual(
          recovered.rows.map((one) => hex(one.cells)),
          [0, 1].map((index) => hex(row(index).cells))
        )
        assert.deepStrictEqual(recovered.bad, [
          { column: 31, detail: "it is column 32" },
          { column: 41, detail: "the proofs of its 2 cells do not hold" }
        ])
        const same = yield* blobs(block, given)
        assert.deepStrictEqual(same.bad, recovered.bad)
        assert.deepStrictEqual(
          same.blobs.map((one) => hex(one.blob)),
          [0, 1].map((index) => hex(row(index).blob))
        )
      })
    )

    it.live("names wrong columns also where nothing is left to recover from", () =>
      Effect.gen(function* () {
        const { block, columns } = yield* provenBlock("gloas", 1)
        const { blobs, recover } = yield* Recoverer
        const given = columns(from(1, 64))
        // Above the modulus: no field element at all.
        given.get(20)?.fill(255, 56, 56 + 32)
        for (const error of [yield* Effect.flip(recover(block, given)), yield* Effect.flip(blobs(block, given))]) {
          if (error._tag !== "BadColumns") return assert.fail(String(error))
          assert.deepStrictEqual(
            error.bad.map(({ column }) => column),
            [20]
          )
          assert.strictEqual(error.present, 63)
          assert.deepStrictEqual(error.missing, [0, ...from(65, 63)])
          assert.match(error.message, /column 20 is wrong \(.*no field elements.*\); without it there are 63 of the 64/)
        }
      })
    )

    it.live("says how many are missing where there are fewer than 64", () =>
      Effect.gen(function* () {
        const { block, columns } = yield* provenBlock("fulu", 1)
        const { recover } = yield* Recoverer
        const error = yield* Effect.flip(recover(block, columns(from(0, 63))))
        if (error._tag !== "NotRecoverable") return assert.fail(String(error))
        assert.strictEqual(error.present, 63)
        assert.deepStrictEqual(error.missing, from(63, 65))
        assert.match(error.message, /63 of the 64 columns/)
      })
    )

    it.live("needs no recovery for blobs whose first 64 columns are there", () =>
      Effect.gen(function* () {
        const { block, columns, row } = yield* provenBlock("fulu", 2)
        const { blobs } = yield* Recoverer
        const plain = yield* blobs(block, columns(from(0, 70)))
        assert.isFalse(plain.isRecovered)
        const given = yield* blobs(block, corrupt(columns(from(0, 70)), 7))
        assert.isTrue(given.isRecovered)
        assert.deepStrictEqual(
          given.bad.map(({ column }) => column),
          [7]
        )
        for (const found of [plain, given]) {
          assert.deepStrictEqual(
            found.blobs.map((one) => [one.row, hex(one.blob)]),
            [0, 1].map((index) => [index, hex(row(index).blob)])
          )
        }
      })
    )
  })
}

describe("recovery and verification in the same threads", () => {
  it.live("gives a verdict before the next row", () =>
    Effect.gen(function* () {
      const { block, columns } = yield* provenBlock("fulu", 2)
      const { recover } = yield* Recoverer
      const { verify } = yield* Verifier
      const done: Array<string> = []
      const note = (name: string) => Effect.sync(() => done.push(name))
      const given = columns(from(64, 64))
      const recoveries = yield* Effect.forkAll([
        Effect.zipRight(recover(block, given, [0]), note("row")),
        Effect.zipRight(recover(block, given, [1]), note("row"))
      ])
      yield* Effect.sleep(0)
      yield* Effect.zipRight(verify([vector("fulu", 0)]), note("verdict"))
      yield* Fiber.join(recoveries)
      assert.deepStrictEqual(done, ["row", "verdict", "row"])
    }).pipe(
      Effect.provide(Layer.mergeAll(WorkerRecoverer.layer(), WorkerVerifier.layer()).pipe(Layer.provide(threads(1))))
    )
  )
})

describe("a recoverer whose library computes wrong", () => {
  it.effect("gives nothing, and blames no column", () =>
    Effect.gen(function* () {
      const { block, columns } = yield* provenBlock("fulu", 1)
      const { recover } = makeRecoverer({
        atOnce: 1,
        recover: () => Effect.succeed(null),
        check: () => Effect.succeed(false),
        verify: (given) => Effect.succeed(given.map(() => ({ _tag: "Valid" as const })))
      })
      const error = yield* Effect.flip(recover(block, columns(from(0, 80))))
      assert.strictEqual(error._tag, "VerifierError")
    })
  )
})
