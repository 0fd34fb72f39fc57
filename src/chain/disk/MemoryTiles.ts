import { Effect, Layer, Option } from "effect"
import { TileStore } from "./TileStore.ts"

/** For tests, and for whoever has no disk: gone with the program. */
export const layer: Layer.Layer<TileStore> = Layer.sync(TileStore, () => {
  const kept = new Map<number, Uint8Array>()
  const newestFirst = () => [...kept.keys()].sort((a, b) => b - a)
  return TileStore.of({
    put: (tile, bytes) => Effect.sync(() => void kept.set(tile, bytes.slice())),
    get: (tile) => Effect.sync(() => Option.fromNullable(kept.get(tile)?.slice())),
    remove: (tile) => Effect.sync(() => void kept.delete(tile)),
    tiles: Effect.sync(newestFirst),
    prune: (tile, most) =>
      Effect.sync(() => {
        const old = newestFirst().filter((one) => one < tile)
        for (const one of old.reverse().slice(0, most)) kept.delete(one)
      })
  })
})
