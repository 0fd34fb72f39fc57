import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Database from "better-sqlite3"
import { Effect, Layer, Option } from "effect"
import * as MemoryTiles from "../../../src/chain/disk/MemoryTiles.ts"
import * as SqliteTiles from "../../../src/chain/disk/SqliteTiles.ts"
import { TileStore } from "../../../src/chain/disk/TileStore.ts"
import { temporaryFolder } from "../../e2e/Network.ts"

const network = { genesisTime: 1, genesisValidatorsRoot: new Uint8Array(32) }
const sqlite = Effect.map(temporaryFolder, (folder) => SqliteTiles.layer({ path: join(folder, "db.chain"), network }))
const bytesOf = (value: number) => new Uint8Array(40).fill(value)

const opened = (layer: Layer.Layer<never>) =>
  Effect.map(
    Effect.flatMap(Layer.build(layer), (context) => Effect.provide(Effect.serviceOption(TileStore), context)),
    Option.getOrThrow
  )
const isDoneWithout = (layer: Layer.Layer<never>) =>
  Effect.map(Effect.provide(Effect.serviceOption(TileStore), layer), Option.isNone)

for (const [name, make] of [
  ["on SQLite", sqlite],
  ["in memory", Effect.succeed(MemoryTiles.layer)]
] as const) {
  describe(`tiles ${name}`, () => {
    it.scoped("are given back as they were put, the newest first, and removed", () =>
      Effect.gen(function* () {
        const store = yield* Effect.flatMap(make, opened)
        assert.deepStrictEqual(yield* store.tiles, [])
        assert.deepStrictEqual(yield* store.get(7), Option.none())
        for (const tile of [7, 300_000, 5, 9]) yield* store.put(tile, bytesOf(tile % 251))
        yield* store.put(5, new Uint8Array(0))
        yield* store.put(5, bytesOf(77))
        assert.deepStrictEqual(yield* store.tiles, [300_000, 9, 7, 5])
        const read = yield* store.get(5)
        assert.deepStrictEqual(
          Option.map(read, (bytes) => [...bytes]),
          Option.some([...bytesOf(77)])
        )
        yield* store.remove(9)
        yield* store.remove(9)
        assert.deepStrictEqual(yield* store.get(9), Option.none())
        assert.deepStrictEqual(yield* store.tiles, [300_000, 7, 5])
      })
    )

    it.scoped("are pruned from the oldest on, so many at most", () =>
      Effect.gen(function* () {
        const store = yield* Effect.flatMap(make, opened)
        for (let tile = 1; tile <= 10; tile++) yield* store.put(tile, bytesOf(tile))
        yield* store.prune(8, 3)
        assert.deepStrictEqual(yield* store.tiles, [10, 9, 8, 7, 6, 5, 4])
        yield* store.prune(8, 100)
        yield* store.prune(8, 100)
        assert.deepStrictEqual(yield* store.tiles, [10, 9, 8])
      })
    )
  })
}

describe("the file of tiles", () => {
  const withFile = <A, E, R>(use: (path: string) => Effect.Effect<A, E, R>) =>
    Effect.flatMap(temporaryFolder, (folder) => use(join(folder, "db.chain")))
  const tilesIn = (path: string, of: SqliteTiles.SqliteTilesOptions["network"] = network) =>
    Effect.scoped(Effect.flatMap(opened(SqliteTiles.layer({ path, network: of })), ({ tiles }) => tiles))
  const fill = (path: string) =>
    Effect.scoped(
      Effect.flatMap(opened(SqliteTiles.layer({ path, network })), ({ put }) =>
        Effect.forEach(
          Array.from({ length: 200 }, (_, tile) => tile),
          (tile) => put(tile, new Uint8Array(4096).fill(tile))
        )
      )
    )

  it.scoped("is there after a restart", () =>
    withFile((path) =>
      Effect.gen(function* () {
        yield* fill(path)
        assert.lengthOf(yield* tilesIn(path), 200)
      })
    )
  )

  it.scoped("is begun anew when it is of another network, or damaged, or something else", () =>
    withFile((path) =>
      Effect.gen(function* () {
        yield* fill(path)
        assert.lengthOf(yield* tilesIn(path, { ...network, genesisTime: 2 }), 0)
        yield* fill(path).pipe(Effect.zipRight(tilesIn(path)))
        const whole = yield* Effect.sync(() => readFileSync(path))
        yield* Effect.sync(() => writeFileSync(path, whole.subarray(0, 6000)))
        assert.lengthOf(yield* tilesIn(path), 0)
        yield* Effect.sync(() => writeFileSync(path, "this is a note to myself, and no database at all".repeat(99)))
        assert.lengthOf(yield* tilesIn(path), 0)
        yield* fill(path)
        assert.lengthOf(yield* tilesIn(path), 200)
      })
    )
  )

  it.scoped.runIf(process.platform === "linux")("is let go of when it is begun anew", () =>
    withFile((path) =>
      Effect.gen(function* () {
        yield* fill(path)
        yield* opened(SqliteTiles.layer({ path, network: { ...network, genesisTime: 2 } }))
        const open = yield* Effect.sync(() =>
          readdirSync("/proc/self/fd").flatMap((fd) => {
            try {
              return [readlinkSync(`/proc/self/fd/${fd}`)]
            } catch {
              return []
            }
          })
        )
        assert.isNotEmpty(open.filter((file) => file === path))
        assert.deepStrictEqual(
          open.filter((file) => file.startsWith(path) && file.endsWith("(deleted)")),
          []
        )
      })
    )
  )

  it.scoped("that another process is writing to is left alone", () =>
    withFile((path) =>
      Effect.gen(function* () {
        yield* fill(path)
        const other = new Database(path)
        yield* Effect.addFinalizer(() => Effect.sync(() => other.close()))
        other.exec("BEGIN IMMEDIATE")
        assert.isTrue(yield* isDoneWithout(SqliteTiles.layer({ path, network })))
        other.exec("ROLLBACK")
        assert.lengthOf(yield* tilesIn(path), 200)
      })
    )
  )

  it.scoped("that cannot be opened for a reason that is not in it is left alone", () =>
    withFile((path) =>
      Effect.gen(function* () {
        yield* fill(path)
        yield* Effect.sync(() => mkdirSync(`${path}-wal`))
        assert.isTrue(yield* isDoneWithout(SqliteTiles.layer({ path, network })))
        yield* Effect.sync(() => rmdirSync(`${path}-wal`))
        assert.lengthOf(yield* tilesIn(path), 200)
      })
    )
  )

  it.scoped("that cannot be had is done without", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const layer = SqliteTiles.layer({ path: join(path, "no", "folder"), network })
        assert.isTrue(yield* isDoneWithout(layer))
      })
    )
  )
})
