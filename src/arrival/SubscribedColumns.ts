import { Clock, Context, Effect, Layer } from "effect"

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
    /** Those that it was on at that moment (Unix milliseconds), is still on, and had had time to find neighbours on. */
    readonly settledBefore: (at: number) => ReadonlySet<number>
  }
>() {
  static readonly layer = Layer.sync(SubscribedColumns, () => {
    /** Since when it is on each, Unix milliseconds. */
    let since: ReadonlyMap<number, number> = new Map()
    let columns: ReadonlySet<number> = new Set()
    return SubscribedColumns.of({
      tell: (told) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          since = new Map([...told].map((column) => [column, since.get(column) ?? now]))
          columns = new Set(since.keys())
        }),
      current: () => columns,
      settledBefore: (at) => new Set([...since].flatMap(([column, begun]) => (begun + meshMs <= at ? [column] : [])))
    })
  })
}

/** Some heartbeats of gossipsub: until then a column that does not come says nothing of anybody but us. */
const meshMs = 6000
