import { assert, describe, it } from "@effect/vitest"
import { makeSlotLines } from "../../src/cli/SlotLines.ts"
import type { Event } from "../../src/domain/Event.ts"

const stamp = { sequence: 1, timestamp: 0 }

const arrival = (slot: number, column: number, arrivalMs: number, blockRoot = `0x${slot}`): Event => ({
  _tag: "ColumnArrival",
  slot,
  blockRoot,
  blobs: 2,
  column,
  at: arrivalMs,
  arrivalMs,
  peerId: "peer",
  client: "teku",
  fork: "fulu",
  topic: "topic",
  messageId: "id",
  bytes: 1,
  header: null,
  ...stamp
})

const verdict = (slot: number, kind: "available" | "unavailable" | "undetermined"): Event => ({
  _tag: "SlotAvailability",
  slot,
  blockRoot: `0x${slot}`,
  blobs: 2,
  verdict: kind,
  reason: "a sentence",
  samples: 8,
  allowedFailures: 0,
  passingProbability: null,
  present: kind === "available" ? [1, 2, 3, 4, 5, 6, 7, 8] : [1],
  absent: kind === "unavailable" ? [2, 3] : [],
  unanswered: [],
  peers: kind === "available" ? 8 : 1,
  clients: ["teku"],
  startedAt: 0,
  decidedAt: 1,
  decidedAfterMs: 700,
  held: 4,
  ...stamp
})

const events = [
  arrival(10, 1, 300),
  arrival(10, 2, 180),
  verdict(10, "available"),
  arrival(10, 3, 740),
  arrival(11, 1, 200),
  arrival(10, 4, 2900),
  verdict(11, "unavailable"),
  arrival(12, 1, 100),
  arrival(12, 1, 150, "0xother"),
  arrival(12, 2, 160, "0xother"),
  verdict(12, "undetermined"),
  arrival(13, 1, 100)
]

describe("what is told of slots", () => {
  it("is one line of each block whose columns came, and one of its verdict, where every slot is told", () => {
    assert.deepStrictEqual(events.flatMap(makeSlotLines(true)), [
      "slot 10 available: 8 of 8 columns from 8 peers by 700 ms",
      "slot 10: 3 columns by gossip, first 180 ms, last 740 ms",
      "slot 11 UNAVAILABLE: 1 of 3 columns from 1 peer by 700 ms: a sentence",
      "slot 11: 1 column by gossip, first 200 ms, last 200 ms",
      "slot 12: 1 column by gossip, first 100 ms, last 100 ms",
      "slot 12 undetermined: 1 of 1 column from 1 peer by 700 ms: a sentence",
      "slot 12: 2 columns by gossip, first 150 ms, last 160 ms"
    ])
  })

  it("is only what is not available, elsewhere", () => {
    assert.deepStrictEqual(events.flatMap(makeSlotLines(false)), [
      "slot 11 UNAVAILABLE: 1 of 3 columns from 1 peer by 700 ms: a sentence"
    ])
  })
})
