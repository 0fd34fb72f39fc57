import { assert, describe, it } from "@effect/vitest"
import type { Event } from "../../src/domain/Event.ts"
import type { Outcome } from "../../src/domain/probe/Job.ts"
import { noOutcomes } from "../../src/domain/probe/Outcome.ts"
import { countOf } from "../../scripts/bench/hostile/Count.ts"
import { summaryOf } from "../../scripts/bench/hostile/Hostile.ts"
import { probeOf, statusOf } from "../http/FakeDasmon.ts"

const probed = (sequence: number, peerId: string, finishedAt: number, outcomes: ReadonlyArray<Outcome>): Event => ({
  _tag: "Sampling",
  probe: probeOf(peerId, { finishedAt, outcomes }),
  conversation: "answered",
  coverage: null,
  sequence,
  timestamp: finishedAt
})
const of = { blockRoot: `0x${"cd".repeat(32)}`, blobs: 1 }
const success = { ...of, slot: 1, column: 1, outcome: "success" } as const
const timeout = { ...of, slot: 2, column: 1, outcome: "timeout" } as const
const recorded = (group: string, probes: number) => ({
  group,
  probes,
  peers: 1,
  tested: 0,
  blamed: 0,
  compliance: null,
  complianceWithSuspicions: null,
  outcomes: noOutcomes
})
const measured = { from: 10, until: 20 }

describe("what is counted beside hostile peers", () => {
  it("is what was verified of honest peers in the time that was measured", () => {
    const events = [
      probed(1, "honest", 9, [success]),
      probed(2, "honest", 10, [success, success, timeout]),
      probed(3, "liar", 12, [success]),
      probed(4, "honest", 19, [success]),
      probed(5, "honest", 20, [success])
    ]
    const rows = [recorded("honest", 4), recorded("liar", 1)]
    assert.deepStrictEqual(countOf(events, rows, new Set(["honest"]), measured), {
      probes: 2,
      verified: 3,
      otherwise: { timeout: 1 },
      events: 5,
      lost: 0
    })
  })

  it("is lost where the log has holes, or the database has fewer probes than were told of", () => {
    const snapshot: Event = { _tag: "SystemSnapshot", status: statusOf({}), sequence: 6, timestamp: 15 }
    const events = [probed(1, "honest", 11, []), probed(2, "liar", 12, []), probed(4, "liar", 13, []), snapshot]
    const { lost } = countOf(events, [recorded("liar", 1)], new Set(["honest"]), measured)
    // Numbers 3 and 5; the one probe of the honest peer and one of the liar's two.
    assert.strictEqual(lost, 4)
  })

  it("is compared with the mean of the runs alone, and the worst of each is what stands at the top", () => {
    const run = (verified: number, rssMiB: number, lost = 0) => ({
      verified,
      rssMiB,
      lost,
      probes: 10,
      events: 100,
      otherwise: {},
      exitCode: 0,
      done: {}
    })
    const summary = summaryOf(
      [run(90, 300), run(110, 340, 1)],
      [
        { name: "bombs", observed: run(99, 800) },
        { name: "floods", observed: run(50, 330, 2) }
      ]
    )
    const { honestShare, lost, rssAloneMiB, rssMiB, rssRatio } = summary
    assert.deepStrictEqual(
      { honestShare, lost, rssAloneMiB, rssMiB, rssRatio },
      { honestShare: 0.5, lost: 3, rssAloneMiB: 320, rssMiB: 800, rssRatio: 2.5 }
    )
    assert.strictEqual(summary.phases["bombs"]?.honestShare, 0.99)
  })
})
