import { Session } from "node:inspector/promises"
import { basename } from "node:path"
import { Effect } from "effect"

/** A function, or a file, and its share of the CPU time of this thread while `effect` ran. */
export interface Share {
  readonly name: string
  readonly share: number
}

/** Runs it and tells where the time of this thread went, most of all first; what waits counts for nothing. */
export const profiled = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const session = new Session()
    session.connect()
    yield* Effect.promise(() => session.post("Profiler.enable"))
    yield* Effect.promise(() => session.post("Profiler.setSamplingInterval", { interval: 500 }))
    yield* Effect.promise(() => session.post("Profiler.start"))
    yield* effect
    const { profile } = yield* Effect.promise(() => session.post("Profiler.stop"))
    session.disconnect()
    const byFunction = new Map<string, number>()
    const byFile = new Map<string, number>()
    const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
    let total = 0
    profile.samples?.forEach((id, index) => {
      const frame = nodes.get(id)?.callFrame
      if (frame === undefined || notOurs.has(frame.functionName)) return
      const micros = profile.timeDeltas?.[index] ?? 0
      total += micros
      const file = fileOf(frame.url)
      add(
        byFunction,
        `${frame.functionName || "(anonymous)"} ${file === "" ? "" : basename(file)}:${frame.lineNumber + 1}`,
        micros
      )
      add(byFile, file === "" ? frame.functionName : file, micros)
    })
    return { byFunction: sharesOf(byFunction, total), byFile: sharesOf(byFile, total) }
  })

const add = (sums: Map<string, number>, name: string, micros: number): void => {
  sums.set(name, (sums.get(name) ?? 0) + micros)
}

const sharesOf = (sums: ReadonlyMap<string, number>, total: number): ReadonlyArray<Share> =>
  [...sums].map(([name, micros]) => ({ name, share: micros / total })).sort((a, b) => b.share - a.share)

const fileOf = (url: string): string => url.replace(/^.*node_modules\//, "").replace(/^.*\/build\//, "")

/** Waiting, and the profiler itself. */
const notOurs: ReadonlySet<string> = new Set(["(idle)", "dispatch"])
