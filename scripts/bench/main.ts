import { writeFile } from "node:fs/promises"
import { Args, Command, Options } from "@effect/cli"
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { backfill } from "./backfill/Backfill.ts"
import type { Bench, Table } from "./Bench.ts"
import { cost } from "./cost/Cost.ts"
import { detection } from "./Detection.ts"
import { gossip } from "./gossip/GossipBench.ts"
import { history } from "./HistoryBench.ts"
import { hostile } from "./hostile/Hostile.ts"
import { kzg } from "./kzg/KzgBench.ts"
import { peers } from "./peers/Peers.ts"
import { pipeline } from "./pipeline/Pipeline.ts"
import { recovery } from "./recovery/Recovery.ts"
import { sampler } from "./SamplerScale.ts"
import { sampling } from "./sampling/SamplingBench.ts"
import { stream } from "./Stream.ts"
import { truth } from "./truth/Truth.ts"
import { wire } from "./wire/Wire.ts"

const benches: ReadonlyArray<Bench> = [
  detection,
  sampler,
  sampling,
  history,
  stream,
  truth,
  hostile,
  backfill,
  peers,
  pipeline,
  kzg,
  gossip,
  recovery,
  wire,
  cost
]

const which = Args.choice(
  benches.map((bench): [string, Bench] => [bench.name, bench]),
  { name: "benchmark" }
).pipe(Args.withDescription("which ones (default: all)"), Args.repeated)
const quick = Options.boolean("quick").pipe(Options.withDescription("smaller sizes, for a quick look"))
const json = Options.text("json").pipe(
  Options.withDescription("where the numbers are written (default build/bench.json)"),
  Options.withDefault("build/bench.json")
)

const bench = Command.make("bench", { which, quick, json }, ({ json, quick, which }) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const results: Array<object> = []
    const summaries: Array<object> = []
    for (const one of which.length === 0 ? benches : which) {
      yield* Console.log(`\n# ${one.name}: ${one.description}`)
      const folder = yield* fs.makeTempDirectoryScoped({ prefix: "dasmon-bench-" })
      const startedAt = performance.now()
      const tables = yield* one.run({ quick, folder })
      const seconds = (performance.now() - startedAt) / 1000
      yield* Effect.forEach(tables, (table) => Console.log(`\n${render(table)}`), { discard: true })
      yield* Console.log(`\n(${seconds.toFixed(1)} s)`)
      summaries.push(...tables.flatMap(({ summary }) => summary ?? []))
      results.push({ name: one.name, quick, seconds, tables: tables.map(asObjects) })
    }
    yield* Effect.tryPromise(() =>
      writeFile(json, `${JSON.stringify({ node: process.version, at: new Date().toISOString(), results }, null, 2)}\n`)
    )
    yield* Console.log(`\nwritten to ${json}`)
    yield* Effect.forEach(summaries, (summary) => Console.log(JSON.stringify(summary)), { discard: true })
  }).pipe(Effect.scoped)
).pipe(Command.withDescription("Measures dasmon; seeds are fixed, and only numbers of one run compare"))

const render = ({ columns, rows, title }: Table): string => {
  const cells = [
    columns,
    ...rows.map((row) => row.map((cell) => (cell === true ? "yes" : cell === false ? "NO" : String(cell))))
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => (row[index] ?? "").length)))
  const line = (row: ReadonlyArray<string>): string =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`
  const [head = [], ...body] = cells
  return [title, "", line(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join(
    "\n"
  )
}

/** Columns of the same name are told apart by the one before them. */
const asObjects = ({ columns, rows, title }: Table): object => ({
  title,
  rows: rows.map((row) =>
    Object.fromEntries(
      row.map((cell, index) => {
        const name = columns[index] ?? ""
        const isFirst = columns.indexOf(name) === index
        const owner = columns.slice(0, index).findLast((other) => columns.indexOf(other) === columns.lastIndexOf(other))
        return [isFirst && columns.lastIndexOf(name) === index ? name : `${owner ?? ""} ${name}`.trim(), cell]
      })
    )
  )
})

Command.run(bench, { name: "bench", version: "1" })(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain
)
