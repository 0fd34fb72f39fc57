import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/**
 * Runs the smoke test on the Node that runs this, in a process of its own that collects all the time: whether native
 * modules load and do their work, and whether any collection kills the process.
 */
const flags = [
  "--expose-gc",
  // Megabytes: full after each few milliseconds of work, which begins a collection wherever that work happens to be.
  "--max-semi-space-size=1",
  "--enable-source-maps"
]
const limitMs = 120_000

const run = async (module: string, stdio: "inherit" | "ignore"): Promise<string> => {
  const child = spawn(process.execPath, [...flags, fileURLToPath(new URL(module, import.meta.url))], { stdio })
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs)
  const [code, signal]: Array<unknown> = await once(child, "exit")
  clearTimeout(timer)
  return signal === null ? `exit code ${String(code)}` : String(signal)
}

const passed = "exit code 0"
const smoke = await run("./Smoke.js", "inherit")
if (smoke === passed) {
  // What the smoke test would come to if the monitor let its statements go; it tells whether that still matters.
  const bare = await run("./BareDriver.js", "ignore")
  console.log(`     (statements that are let go: ${bare === passed ? "harmless" : bare} on this Node)`)
}
console.log(`smoke test on Node ${process.versions.node}: ${smoke === passed ? "passed" : `FAILED (${smoke})`}`)
process.exitCode = smoke === passed ? 0 : 1
