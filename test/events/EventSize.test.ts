import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, FastCheck, Schema } from "effect"
import { Event } from "../../src/domain/Event.ts"
import { jsonSizeOf } from "../../src/events/EventSize.ts"
import { probeOf, peerOf } from "../http/FakeDasmon.ts"
import { columnArrival, snapshotEvent } from "./fixtures.ts"

const json = (value: unknown) => JSON.stringify(value).length
const root = `0x${"ab".repeat(32)}`
const stamp = { sequence: 123_456, timestamp: 1_700_000_000_000 }
const columns = Array.from({ length: 128 }, (_, index) => index)

describe("the size of an event", () => {
  it("is told within a third for what really happens", () => {
    const outcomes = (count: number, reason?: string) =>
      Array.from({ length: count }, (_, index) => ({
        slot: 12_345_678 + index,
        column: 77,
        outcome: "success" as const,
        blockRoot: root,
        blobs: 6,
        ...(reason === undefined ? {} : { reason })
      }))
    const claim = {
      custodyGroupCount: 128,
      source: "metadata" as const,
      columns,
      earliestAvailableSlot: 12_345_678,
      headSlot: 12_345_678,
      finalized: { epoch: 385_800, root: `0x${"ab".repeat(32)}` },
      forkDigest: "0x12345678",
      sequenceNumber: 12,
      observedAt: 1_700_000_000_000
    }
    const probes = [outcomes(1), outcomes(16), outcomes(512), outcomes(40, "column 44 of slot 64 fails the check")]
    const events: ReadonlyArray<Event> = [
      ...probes.map((outcomes): Event => ({
        ...stamp,
        _tag: "Sampling",
        conversation: "answered",
        probe: probeOf("16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g", { outcomes }),
        coverage: null
      })),
      { ...stamp, _tag: "CustodyUpdate", peerId: "16Uiu2HAmSUYdtMsV74nupNN", claim, previous: claim, findings: [] },
      { ...stamp, _tag: "NodeTracking", change: "tracked", detail: "", peer: peerOf("16Uiu2HA"), peerId: "16Uiu2HA" },
      { ...stamp, ...snapshotEvent },
      { ...stamp, ...columnArrival },
      { ...stamp, ...columnArrival, header: null },
      {
        ...stamp,
        _tag: "MatrixProgress",
        slot: 12_345_678,
        blockRoot: root,
        blobs: 14,
        stage: "recoverable",
        held: 64,
        sources: { gossip: 60, request: 4, recovered: 0 },
        at: 1_700_000_000_000,
        sinceMs: 2345
      },
      {
        ...stamp,
        _tag: "GossipFault",
        fault: {
          peerId: "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g",
          rule: "kzg_proof",
          detail: "the proofs of its 14 cells do not hold",
          topic: "/eth2/8c9f62fe/data_column_sidecar_77/ssz_snappy",
          column: 77,
          slot: 12_345_678,
          blockRoot: root,
          at: 1_700_000_000_000
        }
      }
    ]
    for (const event of events) {
      assert.isAbove(jsonSizeOf(event), 0.66 * json(event), event._tag)
      assert.isBelow(jsonSizeOf(event), 1.5 * json(event), event._tag)
    }
  })

  it("is never told much too small, so that what is kept stays bounded", () => {
    FastCheck.assert(
      FastCheck.property(Arbitrary.make(Schema.typeSchema(Event)), (event) => json(event) <= 3 * jsonSizeOf(event)),
      { seed: 4, numRuns: 300 }
    )
  })
})
