import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import { CustodyStore } from "../../src/custody/CustodyStore.ts"
import { layer, type SqliteCustodyOptions } from "../../src/custody/SqliteCustody.ts"
import { kept, rootOf, storeContract } from "./StoreContract.ts"

const folder = mkdtempSync(join(tmpdir(), "dasmon-custody-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const network = { genesisTime: 1, genesisValidatorsRoot: new Uint8Array(32) }
const fresh = () => join(folder, `${files++}.custody`)
const at = (path: string, more: Partial<SqliteCustodyOptions> = {}) => layer({ path, network, ...more })

storeContract("in memory", () => CustodyStore.layerMemory)
storeContract("on disk", () => at(fresh()))

/** One life of a store. */
const live = <A, E>(store: Layer.Layer<CustodyStore>, use: (store: CustodyStore["Type"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(CustodyStore, use).pipe(Effect.provide(store))

describe("a custody store on disk", () => {
  it.effect("has after a restart what it took before, and nothing of another network", () =>
    Effect.gen(function* () {
      const path = fresh()
      yield* live(at(path), (store) => store.put([kept(5, 9), kept(6, 9)]))
      const again = yield* live(at(path), (store) => store.read(rootOf(5), 9))
      assert.deepStrictEqual(again, Option.some(kept(5, 9)))
      const other = at(path, { network: { ...network, genesisTime: 2 } })
      assert.deepStrictEqual(yield* live(other, (store) => store.blocks({ start: 0, end: 99 })), [])
    })
  )

  it.effect("begins a damaged file anew", () =>
    Effect.gen(function* () {
      const path = fresh()
      yield* Effect.sync(() => writeFileSync(path, "no database at all, and much longer than a header is ".repeat(99)))
      assert.deepStrictEqual(yield* live(at(path), (store) => store.blocks({ start: 0, end: 99 })), [])
    })
  )

  it.effect("takes all of a batch or nothing where the disk is full, says so, and has what it had", () =>
    Effect.gen(function* () {
      const path = fresh()
      const large = (slot: number) => kept(slot, 1, { ssz: new Uint8Array(40_000).fill(slot) })
      const told = yield* live(at(path, { maxBytes: 400_000 }), (store) =>
        Effect.gen(function* () {
          yield* store.put([large(1), large(2)])
          const error = yield* Effect.flip(store.put(Array.from({ length: 20 }, (_, n) => large(n + 3))))
          assert.deepStrictEqual(
            (yield* store.blocks({ start: 0, end: 99 })).map(({ slot }) => slot),
            [1, 2]
          )
          return error.message
        })
      )
      assert.include(told, "the disk is full: make room")
      assert.deepStrictEqual(yield* live(at(path), (store) => store.read(rootOf(2), 1)), Option.some(large(2)))
    })
  )

  it.effect("that cannot be opened fails with the reason, whatever is asked of it", () =>
    Effect.gen(function* () {
      const path = join(folder, "no", "such", "folder.custody")
      const error = yield* Effect.flip(live(at(path), (store) => store.put([kept(1, 1)])))
      assert.include(error.message, path)
    })
  )
})
