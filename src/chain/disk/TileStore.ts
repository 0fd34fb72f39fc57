import { Context, Data, type Effect, type Option } from "effect"

/** Nothing is lost with it but time: what is not kept is asked for again. */
export class TileStoreError extends Data.TaggedError("TileStoreError")<{
  readonly reason: string
  /** Another process has it. */
  readonly isBusy: boolean
}> {
  override get message(): string {
    return this.reason
  }
}

/**
 * Ground truth that is final, kept so that a restart need not ask for it again: tiles (domain/network/Tile) as bytes, of
 * which whoever reads them makes sure (`TileCodec`).
 */
export class TileStore extends Context.Tag("dasmon/TileStore")<
  TileStore,
  {
    /** In place of what was kept of the tile. */
    readonly put: (tile: number, bytes: Uint8Array) => Effect.Effect<void, TileStoreError>
    readonly get: (tile: number) => Effect.Effect<Option.Option<Uint8Array>, TileStoreError>
    readonly remove: (tile: number) => Effect.Effect<void, TileStoreError>
    /** All that are kept, the newest first. */
    readonly tiles: Effect.Effect<ReadonlyArray<number>, TileStoreError>
    /** Removes those below `tile`, the oldest first, so many at most. */
    readonly prune: (tile: number, most: number) => Effect.Effect<void, TileStoreError>
  }
>() {}
