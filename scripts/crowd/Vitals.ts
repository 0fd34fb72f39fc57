import { readdirSync, readFileSync, statSync } from "node:fs"

/** What a process takes of its machine at one moment, as Linux tells it; 0 where nothing is told, or once it has ended. */
export interface Vitals {
  /** Of memory, now and at most since it was started. */
  readonly rssMiB: number
  readonly peakMiB: number
  readonly descriptors: number
  readonly threads: number
}

export const vitalsOf = (pid: number): Vitals => {
  const status = read(() => readFileSync(`/proc/${pid}/status`, "utf8"), "")
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? "0")
  return {
    rssMiB: Math.round(number("VmRSS") / 1024),
    peakMiB: Math.round(number("VmHWM") / 1024),
    descriptors: read(() => readdirSync(`/proc/${pid}/fd`).length, 0),
    threads: number("Threads")
  }
}

/** MiB that these files have together; one that is not there has none. */
export const sizeMiB = (paths: ReadonlyArray<string>): number =>
  paths.reduce((sum, path) => sum + read(() => statSync(path).size, 0), 0) / 2 ** 20

const read = <A>(look: () => A, otherwise: A): A => {
  try {
    return look()
  } catch {
    return otherwise
  }
}
