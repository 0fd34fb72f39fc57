import { availableParallelism, cpus } from "node:os"
import { rounded, type Table } from "../Bench.ts"
import type { Look, LooksMeasured } from "./LooksMeasured.ts"

export interface Scenario {
  readonly blobs: number
  /** Cells per CPU-second of c-kzg alone, before and after. */
  readonly raw: readonly [number, number]
  readonly measured: typeof LooksMeasured.Type
}

/**
 * Of each look what it took. In the summary ratios are the least of all scenarios, and what is of one column is that of
 * six blobs, the first of them.
 */
export const pipelineTable = (scenarios: ReadonlyArray<Scenario>): Table => {
  const rows = scenarios.flatMap((scenario) =>
    (["first", "second"] as const).map((which) => {
      const look = scenario.measured[which]
      return { scenario, which, look, ratios: ratiosOf(scenario, look) }
    })
  )
  const ratiosOfSix = (which: "first" | "second") => rows.find((row) => row.which === which)?.ratios
  const least = (which: "first" | "second", ratio: "verifier" | "process"): number =>
    rounded(Math.min(...rows.filter((row) => row.which === which).map(({ ratios }) => ratios[ratio])), 3)
  const again = ratiosOfSix("second")
  return {
    title: `On ${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), Node ${process.version}; CPU ms a column`,
    columns: [
      "blobs",
      "look",
      "columns",
      "c-kzg alone: cells/CPU-s",
      "verifier threads / that",
      "process / that",
      "columns/CPU-s",
      "main ms",
      "verifier ms",
      "other ms",
      "allocated/received",
      "RSS MiB",
      "delay p99 ms"
    ],
    rows: rows.map(({ look, ratios, scenario, which }) => [
      scenario.blobs,
      which,
      look.columns,
      scenario.raw.map(Math.round).join(", "),
      rounded(ratios.verifier, 3),
      rounded(ratios.process, 3),
      Math.round(ratios.columnsPerCpuSecond),
      rounded(ratios.mainMsPerColumn, 3),
      rounded(ratios.verifierMsPerColumn, 3),
      rounded(ratios.otherMsPerColumn, 3),
      rounded(ratios.allocatedPerByte, 1),
      look.rssMiB,
      rounded(look.delayP99Ms, 1)
    ]),
    summary: {
      firstLook: least("first", "verifier"),
      firstLookProcess: least("first", "process"),
      secondLook: least("second", "process"),
      columnsPerCpuSecond: Math.round(again?.columnsPerCpuSecond ?? 0),
      mainMsPerColumn: rounded(again?.mainMsPerColumn ?? 0, 4),
      rssMiB: Math.max(...scenarios.map(({ measured }) => measured.peakMiB)),
      cores: availableParallelism(),
      looks: rows.map(({ look, ratios, scenario, which }) => ({
        blobs: scenario.blobs,
        look: which,
        rawCellsPerCpuSecond: scenario.raw.map(Math.round),
        ...Object.fromEntries(Object.entries(ratios).map(([name, value]) => [name, rounded(value, 4)])),
        delayP99Ms: rounded(look.delayP99Ms, 1),
        otherwise: look.otherwise
      }))
    }
  }
}

/** What one look comes to against c-kzg alone. */
const ratiosOf = ({ raw }: Scenario, { allocated, cells, columns, cpu, receivedBytes }: Look) => {
  const alone = (raw[0] + raw[1]) / 2
  return {
    verifier: cells / (cpu.verifierMs / 1e3) / alone,
    process: cells / (cpu.processMs / 1e3) / alone,
    columnsPerCpuSecond: columns / (cpu.processMs / 1e3),
    mainMsPerColumn: cpu.mainMs / columns,
    otherMsPerColumn: cpu.otherMs / columns,
    verifierMsPerColumn: cpu.verifierMs / columns,
    allocatedPerByte: (allocated.heapBytes + allocated.externalBytes) / receivedBytes
  }
}
