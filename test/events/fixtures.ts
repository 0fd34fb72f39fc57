import type { EventBody } from "../../src/domain/Event.ts"
import { custodyTotals, peerCounts } from "../../src/domain/peer/PeerTotals.ts"
import { noProgress } from "../../src/domain/peer/AuditProgress.ts"
import { nothingKept } from "../../src/domain/custody/OwnCustodyState.ts"
import { noOutcomes } from "../../src/domain/probe/Outcome.ts"

/** A probe with one success, which names its number in its id. */
export const sampling = (index: number): EventBody => ({
  _tag: "Sampling",
  conversation: "answered",
  probe: {
    id: String(index),
    purpose: "sampling",
    job: { peerId: "peer", startSlot: index, count: 1, columns: [3] },
    startedAt: 1,
    finishedAt: 2,
    timings: { open: 1, firstByte: null, total: 1 },
    requests: 1,
    bytes: 100,
    outcomes: [{ slot: index, column: 3, outcome: "success", blockRoot: "0x00", blobs: 1 }],
    recovered: 0,
    findings: []
  },
  coverage: null
})

export const snapshotEvent: EventBody = {
  _tag: "SystemSnapshot",
  status: {
    network: "test",
    simulated: true,
    headSlot: 1,
    sequence: 0,
    uptimeSeconds: 1,
    peers: { ...peerCounts([]), passedOver: 0 },
    audit: noProgress,
    availability: { isOn: true, available: 0, unavailable: 0, undetermined: 0, passedOver: 0, last: null },
    probes: { started: 0, completed: 0, inFlight: 0 },
    bandwidth: { limit: null, bytesPerSecond: 0, waiting: 0 },
    outcomes: noOutcomes,
    custody: custodyTotals([]),
    beaconNodes: [],
    commitments: { known: 0, wanted: 0, unknown: 0, oldest: null },
    backfill: { mode: "background", stage: "done", slotsPerSecond: 0, secondsLeft: null, stored: 192 },
    history: { state: "recording", reason: null, queued: 0 },
    ownRecord: null,
    evidence: { state: "keeping", reason: null, pieces: 0, bytes: 0, lost: 0 },
    ownCustody: nothingKept({ mode: "observe", custodyGroupCount: 4, columns: [] }),
    doubts: [],
    defects: 0
  }
}

/** Of a column of a Fulu block, with what its header says. */
export const columnArrival = {
  _tag: "ColumnArrival",
  slot: 12_345_678,
  blockRoot: `0x${"cd".repeat(32)}`,
  blobs: 14,
  column: 77,
  at: 1_700_000_001_234,
  arrivalMs: 1234,
  peerId: "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g",
  client: "lighthouse",
  fork: "fulu",
  topic: "/eth2/8c9f62fe/data_column_sidecar_77/ssz_snappy",
  messageId: `0x${"ef".repeat(20)}`,
  bytes: 30_372,
  header: { proposerIndex: 123_456, parentRoot: `0x${"12".repeat(32)}`, stateRoot: `0x${"34".repeat(32)}` }
} as const satisfies EventBody
