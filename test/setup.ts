import "./leaks/TemporaryFolder.ts"
import "../src/wire/Polyfill.ts"
import { FastCheck } from "effect"
import { afterAll, beforeEach } from "vitest"
import { describeLeft, leftSince, lookAround } from "./leaks/Leaks.ts"
import { scaledMs } from "./TimeLimits.ts"

// For properties that have no seed of their own.
FastCheck.configureGlobal({ seed: 20_261_126 })

// This is run before each test file is loaded, in the process that the file shares with others. Hooks run in reverse,
// so that the one of this file comes after all of the file's own.
const before = lookAround()
const begun: Array<{ readonly test: string; readonly at: number }> = []

beforeEach(({ task }) => void begun.push({ test: task.name, at: performance.timeOrigin + performance.now() }))

afterAll(async () => {
  const left = await leftSince(before, scaledMs("3 seconds"))
  if (left.length === 0) return
  const lines = describeLeft(left, (unixMs) => begun.findLast(({ at }) => at <= unixMs)?.test)
  throw new Error(`left behind, and gone they should be:\n${lines.join("\n")}`)
})
