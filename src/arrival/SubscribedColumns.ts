import { Clock, Context, Effect, Layer } from "effect"

/**
 * The columns whose gossip our own node is on: all of them are expected of every block. Empty while it is on none. Told by
 * whoever joins the topics.
 */
export class SubscribedColumns extends Context.Tag("dasmon/SubscribedColumns")<
  SubscribedColumns,
  {
    /** Takes the place of what was told before. `heard`: those of them on which it has a neighbour; all if left out. */
    readonly tell: (columns: Iterable<number>, heard?: Iterable<number>) => Effect.Effect<void>
    readonly current: () => ReadonlySet<number>
    /** Those on which it had had a neighbour for some heartbeats at that moment (Unix milliseconds), and has one still. */
    readonly settledBefore: (at: number) => ReadonlySet<number>
  }
>() {
  static readonly layer = Layer.sync(SubscribedColumns, () => {
    /** Since when it is heard on each, Unix milliseconds. */
    let since: ReadonlyMap<number, number> = new Map()
    let columns: ReadonlySet<number> = new Set()
    return SubscribedColumns.of({
      tell: (told, heard) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          columns = new Set(told)
          since = new Map(
            [...(heard ?? columns)].flatMap((column) =>
              columns.has(column) ? [[column, since.get(column) ?? now]] : []
            )
          )
        }),
      current: () => columns,
      settledBefore: (at) => new Set([...since].flatMap(([column, begun]) => (begun + meshMs <= at ? [column] : [])))
    })
  })
}

/** Some heartbeats of gossipsub: until then a column that does not come says nothing of anybody but us. */
const meshMs = 6000
