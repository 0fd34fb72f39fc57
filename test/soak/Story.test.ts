import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { EventBody } from "../../src/domain/Event.ts"
import type { Outcome } from "../../src/domain/probe/Job.ts"
import { LogLine } from "../../src/events/EventLog.ts"
import { followLog } from "../../scripts/soak/Story.ts"
import { peerOf, probeOf } from "../http/FakeDasmon.ts"

const peerId = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"

const line = (sequence: number, body: EventBody): string =>
  `${Schema.encodeSync(LogLine)({ ...body, sequence, timestamp: 1_700_000_000_000 + sequence })}\n`

const probed = (sequence: number, outcomes: ReadonlyArray<Outcome> = []): string =>
  line(sequence, {
    _tag: "Sampling",
    probe: probeOf(peerId, { outcomes }),
    conversation: "answered",
    coverage: null
  })

const called = (sequence: number, verdict: "unknown" | "violating"): string =>
  line(sequence, { _tag: "NodeTracking", peerId, change: "verdict", detail: "", peer: peerOf(peerId, { verdict }) })

const log = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-story-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  ),
  (folder) => join(folder, "events.ndjson")
)

describe("what an event log tells as it grows", () => {
  it.scoped("is all of it, across lines that come in two parts, files that are put aside, and restarts", () =>
    Effect.gen(function* () {
      const path = yield* log
      const story = yield* followLog(path)
      assert.deepStrictEqual(yield* story, { accusations: [], verdicts: [], probes: 0, lost: 0 })
      const [second, third] = [probed(2), probed(3)]
      writeFileSync(path, called(1, "unknown") + second.slice(0, 100))
      assert.strictEqual((yield* story).probes, 0)
      appendFileSync(path, second.slice(100) + third)
      renameSync(path, `${path}.1`)
      writeFileSync(path, called(4, "violating") + called(5, "violating") + probed(6).slice(0, 50))
      assert.strictEqual((yield* story).probes, 2)
      // A kill cut it off, and the next run counts from 1.
      appendFileSync(path, `\n${probed(1)}${called(2, "unknown")}`)
      assert.deepStrictEqual(yield* story, {
        accusations: [],
        verdicts: [
          { peerId, verdict: "unknown" },
          { peerId, verdict: "violating" }
        ],
        probes: 3,
        lost: 0
      })
    })
  )

  it.scoped("counts what is missing, and remembers who was accused of what", () =>
    Effect.gen(function* () {
      const path = yield* log
      const story = yield* followLog(path)
      const of = { slot: 100, column: 3, reason: "left out", blockRoot: `0x${"cd".repeat(32)}`, blobs: 1 }
      writeFileSync(path, probed(1, [{ ...of, outcome: "suspected" }]) + probed(5, [{ ...of, outcome: "missing" }]))
      const { accusations, lost } = yield* story
      assert.strictEqual(lost, 3)
      assert.deepStrictEqual(
        accusations.map(({ column, outcome, slot, suspectedAt }) => [outcome, slot, column, suspectedAt]),
        [["missing", 100, 3, probeOf(peerId).finishedAt]]
      )
    })
  )
})
