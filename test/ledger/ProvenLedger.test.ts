import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, Metric, TestClock } from "effect"
import { numberOfColumns } from "../../src/domain/network/Chain.ts"
import { ledgerBlocks, ledgerBytes } from "../../src/domain/metrics/Metrics.ts"
import { CacheFileError } from "../../src/history/store/sqlite/CacheFile.ts"
import { digestBytes, makeLedgerEntry } from "../../src/ledger/LedgerEntry.ts"
import { type LedgerRow, LedgerStore } from "../../src/ledger/LedgerStore.ts"
import { type ColumnBytes, ProvenLedger } from "../../src/ledger/ProvenLedger.ts"
import * as SqliteLedger from "../../src/ledger/SqliteLedger.ts"
import { temporaryFolder } from "../e2e/Network.ts"

const network = { genesisTime: 1, genesisValidatorsRoot: new Uint8Array(32) }
const rootOf = (slot: number) => `0x${slot.toString(16).padStart(64, "0")}`
const column = (index: number, value: number): ColumnBytes => ({
  index,
  cells: new Uint8Array(2048).fill(value),
  proofs: new Uint8Array(48).fill(value + 1)
})
const options = { memoryBytes: 2 ** 22, keepSlots: 1000 }

const opened = (path?: string, more: Partial<typeof options & { mostBytes: number }> = {}) =>
  Effect.flatMap(
    Layer.build(
      ProvenLedger.layer({ ...options, ...more }).pipe(
        Layer.provide(
          path === undefined ? Layer.empty : SqliteLedger.layer({ path, network, mostBytes: more.mostBytes ?? 2 ** 24 })
        )
      )
    ),
    (context) => Effect.provide(ProvenLedger, context)
  )

const withFile = <A, E, R>(use: (path: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(temporaryFolder, (folder) => use(join(folder, "db.ledger")))

for (const [name, file] of [
  ["in memory", Effect.succeed(undefined)],
  ["on SQLite", Effect.map(temporaryFolder, (folder) => join(folder, "db.ledger"))]
] as const) {
  describe(`a ledger ${name}`, () => {
    it.scoped("knows the bytes that were proven, and no others", () =>
      Effect.gen(function* () {
        const ledger = yield* Effect.flatMap(file, (path) => opened(path))
        yield* ledger.ready([rootOf(1), rootOf(2)])
        for (const index of [5, 127, 0]) ledger.prove(rootOf(1), 1, column(index, index))
        assert.deepStrictEqual(yield* ledger.columns(rootOf(1)), [0, 5, 127])
        assert.deepStrictEqual(yield* ledger.columns(rootOf(2)), [])
        assert.isTrue(ledger.isProven(rootOf(1), column(127, 127)))
        assert.isFalse(ledger.isProven(rootOf(1), column(127, 126)))
        assert.isFalse(ledger.isProven(rootOf(1), column(6, 5)))
        assert.isFalse(ledger.isProven(rootOf(2), column(127, 127)))
        assert.isTrue(ledger.has(rootOf(1), 5))
        assert.isFalse(ledger.has(rootOf(1), 6))
        assert.isFalse(ledger.isProven(rootOf(1), { ...column(5, 5), proofs: new Uint8Array(48) }))
      })
    )

    it.scoped("forgets from memory what was of use the longest ago, and stays within its bounds", () =>
      Effect.gen(function* () {
        const path = yield* file
        const ledger = yield* opened(path, { memoryBytes: 100_000 })
        for (let slot = 1; slot <= 200; slot++) {
          yield* ledger.ready([rootOf(1), rootOf(slot)])
          ledger.prove(rootOf(slot), slot, column(3, slot % 250))
          if (slot % 20 === 0) yield* TestClock.adjust("5 seconds")
        }
        assert.isTrue(ledger.has(rootOf(1), 3), "of use all the time")
        assert.isTrue(ledger.has(rootOf(200), 3))
        assert.isFalse(ledger.has(rootOf(2), 3))
        assert.isAtLeast([...Array(200).keys()].filter((slot) => !ledger.has(rootOf(slot + 1), 3)).length, 100)
        // What is on disk comes back.
        assert.deepStrictEqual(yield* ledger.columns(rootOf(2)), path === undefined ? [] : [3])
      })
    )
  })
}

describe("the file of a ledger", () => {
  it.scoped("is there after a restart", () =>
    withFile((path) =>
      Effect.gen(function* () {
        yield* Effect.scoped(
          Effect.map(opened(path), ({ prove }) => {
            for (let index = 0; index < numberOfColumns; index++) prove(rootOf(9), 9, column(index, index))
          })
        )
        const ledger = yield* opened(path)
        assert.isFalse(ledger.isProven(rootOf(9), column(64, 64)), "before it is asked for")
        yield* ledger.ready([rootOf(9)])
        assert.isTrue(ledger.isProven(rootOf(9), column(64, 64)))
        assert.isFalse(ledger.isProven(rootOf(9), column(64, 65)))
        // And what is proven later is added.
        assert.lengthOf(yield* ledger.columns(rootOf(9)), 128)
      })
    )
  )

  it.scoped("keeps so many slots, and so many bytes", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const ledger = yield* opened(path, { keepSlots: 100, mostBytes: 400_000, memoryBytes: 2 ** 26 })
        const whole = (slot: number) => {
          for (let index = 0; index < numberOfColumns; index++) ledger.prove(rootOf(slot), slot, column(index, 1))
        }
        for (const slot of [1, 2, 950, 1000]) whole(slot)
        yield* TestClock.adjust("6 seconds")
        const onDisk = (slots: ReadonlyArray<number>) =>
          Effect.scoped(
            Effect.flatMap(opened(path), ({ columns }) =>
              Effect.filter(slots, (slot) => Effect.map(columns(rootOf(slot)), ({ length }) => length > 0))
            )
          )
        assert.deepStrictEqual(yield* onDisk([1, 2, 950, 1000]), [950, 1000])
        for (let slot = 1001; slot <= 1090; slot++) whole(slot)
        yield* TestClock.adjust("60 seconds")
        for (let slot = 1091; slot <= 1099; slot++) whole(slot)
        for (let pass = 0; pass < 20; pass++) yield* TestClock.adjust("5 seconds")
        const kept = yield* onDisk([950, 1000, 1050, 1099])
        assert.include(kept, 1099)
        assert.notInclude(kept, 950)
        assert.isBelow(statSync(path).size, 700_000)
      })
    )
  )

  it.scoped("is begun anew where it is damaged or of another network, and done without where it cannot be", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const proven = Effect.scoped(Effect.map(opened(path), ({ prove }) => prove(rootOf(9), 9, column(3, 3))))
        const isThere = Effect.scoped(
          Effect.map(
            Effect.flatMap(opened(path), ({ columns }) => columns(rootOf(9))),
            (all) => all.length === 1
          )
        )
        yield* proven
        assert.isTrue(yield* isThere)
        writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 300), Buffer.alloc(9_000, 7)]))
        assert.isFalse(yield* isThere)
        yield* proven
        assert.isTrue(yield* isThere)
        const nowhere = yield* opened(join(path, "below", "a.file"))
        nowhere.prove(rootOf(9), 9, column(3, 3))
        assert.isTrue(nowhere.isProven(rootOf(9), column(3, 3)))
        assert.isFalse(existsSync(join(path, "below")))
      })
    )
  )

  it.scoped("goes on in memory while the disk takes nothing and tells nothing", () =>
    Effect.gen(function* () {
      const full = new CacheFileError({ reason: "the disk is full", mayBeWhole: true })
      const context = yield* Layer.build(
        ProvenLedger.layer({ memoryBytes: 100_000, keepSlots: 1000 }).pipe(
          Layer.provide(
            Layer.succeed(LedgerStore, {
              secret: new Uint8Array(16),
              load: () => full,
              save: () => full,
              prune: () => full
            })
          )
        )
      )
      const ledger = yield* Effect.provide(ProvenLedger, context)
      for (let slot = 1; slot <= 1000; slot++) {
        yield* ledger.ready([rootOf(slot)])
        ledger.prove(rootOf(slot), slot, column(1, slot % 250))
      }
      yield* TestClock.adjust("1 minute")
      assert.isTrue(ledger.isProven(rootOf(1000), column(1, 0)))
      assert.isFalse(ledger.has(rootOf(1), 1), "memory stays bounded")
    })
  )
})

/** A disk in memory, which is away at times. */
const makeDisk = () => {
  const disk = { rows: new Map<string, LedgerRow>(), isAway: false }
  const onDisk = <A>(use: () => A) =>
    Effect.suspend(() =>
      disk.isAway ? new CacheFileError({ reason: "input/output error", mayBeWhole: true }) : Effect.sync(use)
    )
  const store = Layer.succeed(LedgerStore, {
    secret: new Uint8Array(16),
    load: (roots) => onDisk(() => roots.flatMap((root) => disk.rows.get(root) ?? [])),
    save: (rows) => onDisk(() => rows.forEach((row) => disk.rows.set(row.root, row))),
    prune: () => Effect.void
  })
  const ledger = (memoryBytes: number) =>
    Effect.flatMap(
      Layer.build(ProvenLedger.layer({ memoryBytes, keepSlots: 1000 }).pipe(Layer.provide(store))),
      (context) => Effect.provide(ProvenLedger, context)
    )
  return { disk, ledger }
}

describe("the size of a ledger", () => {
  it.scoped("is measured without a disk too", () =>
    Effect.gen(function* () {
      const ledger = yield* opened()
      for (const slot of [1, 2, 3]) ledger.prove(rootOf(slot), slot, column(1, 1))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Metric.value(ledgerBlocks)).value, 3)
      assert.isAbove((yield* Metric.value(ledgerBytes)).value, 3 * digestBytes)
    })
  )
})

describe("what a ledger has on disk", () => {
  it.scoped("stays there when it could not be read before more was proven", () =>
    Effect.gen(function* () {
      const { disk, ledger } = makeDisk()
      yield* Effect.scoped(
        Effect.map(ledger(2 ** 20), ({ prove }) => [1, 2].forEach((index) => prove(rootOf(9), 9, column(index, index))))
      )
      disk.isAway = true
      const later = yield* ledger(2 ** 20)
      yield* later.ready([rootOf(9)])
      later.prove(rootOf(9), 9, column(2, 7))
      later.prove(rootOf(9), 9, column(3, 3))
      yield* TestClock.adjust("1 minute")
      disk.isAway = false
      yield* TestClock.adjust("1 minute")
      const read = yield* ledger(2 ** 20)
      assert.deepStrictEqual(yield* read.columns(rootOf(9)), [1, 2, 3])
      assert.isTrue(read.isProven(rootOf(9), column(2, 7)), "what was proven last counts")
      assert.deepStrictEqual(yield* later.columns(rootOf(9)), [1, 2, 3])
    })
  )

  it.scoped("stays there when it is forgotten between the question and the proof", () =>
    Effect.gen(function* () {
      const { ledger } = makeDisk()
      const small = yield* ledger(20_000)
      small.prove(rootOf(9), 9, column(1, 1))
      yield* TestClock.adjust("5 seconds")
      yield* small.ready([rootOf(9)])
      yield* small.ready(Array.from({ length: 100 }, (_, slot) => rootOf(slot + 10)))
      assert.isFalse(small.has(rootOf(9), 1))
      small.prove(rootOf(9), 9, column(2, 2))
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* (yield* ledger(20_000)).columns(rootOf(9)), [1, 2])
    })
  )

  it.scoped("takes no more memory than allowed once it is there", () =>
    Effect.gen(function* () {
      const { disk, ledger } = makeDisk()
      const { has, prove } = yield* ledger(100_000)
      disk.isAway = true
      for (let slot = 1; slot <= 120; slot++) prove(rootOf(slot), slot, column(1, 1))
      disk.isAway = false
      yield* TestClock.adjust("20 seconds")
      assert.isBelow([...Array(121).keys()].filter((slot) => has(rootOf(slot), 1)).length, 70)
      assert.strictEqual(disk.rows.size, 120)
    })
  )
})

describe("an entry of a ledger", () => {
  it("is read as it was written, and nothing is read of other bytes", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.dictionary(
          FastCheck.nat(127).map(String),
          FastCheck.uint8Array({ minLength: digestBytes, maxLength: 32 })
        ),
        FastCheck.nat(300),
        (digests, cut) => {
          const entry = makeLedgerEntry()
          for (const [column, digest] of Object.entries(digests)) entry.set(Number(column), digest)
          const bytes = entry.encode()
          const read = makeLedgerEntry()
          read.add(bytes)
          assert.deepStrictEqual(read.columns(), entry.columns())
          for (const [column, digest] of Object.entries(digests)) assert.isTrue(read.matches(Number(column), digest))
          const other = makeLedgerEntry()
          if (cut > 0) other.add(bytes.subarray(0, -cut))
          assert.deepStrictEqual(other.columns(), [])
        }
      ),
      { seed: 3, numRuns: 200 }
    )
  })
})
