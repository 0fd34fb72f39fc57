import { Context, Effect, Layer } from "effect"

/**
 * The columns whose gossip our own node is on: all of them are expected of every block. Empty while it is on none. Told by
 * whoever joins the topics.
 */
export class SubscribedColumns extends Context.Tag("dasmon/SubscribedColumns")<
  SubscribedColumns,
  {
    /** Takes the place of what was told before. */
    readonly tell: (columns: Iterable<number>) => Effect.Effect<void>
    readonly current: () => ReadonlySet<number>
  }
>() {
  static readonly layer = Layer.sync(SubscribedColumns, () => {
    let columns: ReadonlySet<number> = new Set()
    return SubscribedColumns.of({
      tell: (told) => Effect.sync(() => void (columns = new Set(told))),
      current: () => columns
    })
  })
}
