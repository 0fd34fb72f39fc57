// Records probes without end into the history at argv[2], and appends to argv[3] each id as soon as it is recorded,
// with the milliseconds that this process has been running. The prefix of the ids is argv[4]. It is there to be killed.
//
// Time in which the machine gives this process nothing to run on does not count: a probe comes every 6 ms at most.
import { appendFileSync } from "node:fs"
import { setTimeout } from "node:timers/promises"
import { Effect } from "effect"
import { History } from "../../../dist/history/store/History.js"
import { layer } from "../../../dist/history/store/SqliteHistory.js"

const [, , path, acknowledged, prefix] = process.argv

const outcome = (slot, column, n) => {
  const common = { slot, column, blockRoot: `0x${slot.toString(16).padStart(64, "0")}`, blobs: slot % 6 }
  if ((slot + column + n) % 11 === 0) return { ...common, outcome: "missing", reason: `no ${column} in ${slot}` }
  if (n % 5 === 0) return { ...common, outcome: "timeout", reason: "no answer" }
  return { ...common, outcome: "success" }
}

const probe = (n) => {
  const columns = [n % 128, (n * 7 + 1) % 128].sort((a, b) => a - b)
  const startSlot = 1000 + ((n * 13) % 4000)
  const now = Date.now()
  return {
    id: `${prefix}-${n}`,
    purpose: "sampling",
    job: { peerId: `peer-${n % 17}`, startSlot, count: 8, columns },
    startedAt: now,
    finishedAt: now,
    timings: { open: 1, firstByte: 2, total: 3 },
    requests: 1,
    bytes: 100,
    recovered: 0,
    outcomes: Array.from({ length: 8 }, (_, index) => startSlot + index).flatMap((slot) =>
      columns.map((column) => outcome(slot, column, n))
    ),
    findings: []
  }
}

const run = Effect.gen(function* () {
  const history = yield* History
  let running = 0
  let last = performance.now()
  for (let n = 0; ; n++) {
    yield* history.recordProbe(probe(n), "answered")
    const now = performance.now()
    running += Math.min(6, now - last)
    last = now
    appendFileSync(acknowledged, `${prefix}-${n} ${running}\n`)
    yield* Effect.promise(() => setTimeout(5))
  }
})

await Effect.runPromise(Effect.provide(run, layer({ path })))
