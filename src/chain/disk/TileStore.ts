import { Context, type Effect, type Option } from "effect"
import type { CacheFileError } from "../../history/store/sqlite/CacheFile.ts"

/**
 * Ground truth that is final, kept so that a restart need not ask for it again: tiles (domain/network/Tile) as bytes, of
 * which whoever reads them makes sure (`TileCodec`).
 */
export class TileStore extends Context.Tag("dasmon/TileStore")<
  TileStore,
  {
    /** In place of what was kept of the tile. */
    readonly put: (tile: number, bytes: Uint8Array) => Effect.Effect<void, CacheFileError>
    readonly get: (tile: number) => Effect.Effect<Option.Option<Uint8Array>, CacheFileError>
    readonly remove: (tile: number) => Effect.Effect<void, CacheFileError>
    /** All that are kept, the newest first. */
    readonly tiles: Effect.Effect<ReadonlyArray<number>, CacheFileError>
    /** Removes those below `tile`, the oldest first, so many at most. */
    readonly prune: (tile: number, most: number) => Effect.Effect<void, CacheFileError>
  }
>() {}
