import { assert, describe, it } from "@effect/vitest"
import { linesOf } from "../../../src/cli/monitor/FollowPeer.ts"
import type { Event } from "../../../src/domain/Event.ts"
import { peerOf } from "../../http/FakeDasmon.ts"

const stamp = { sequence: 1, timestamp: 0 }

const sampling = (peerId: string): Event => ({
  _tag: "Sampling",
  ...stamp,
  conversation: "answered",
  coverage: null,
  probe: {
    id: "1",
    purpose: "sampling",
    job: { peerId, startSlot: 10, count: 3, columns: [1, 2] },
    startedAt: 0,
    finishedAt: 5,
    timings: { open: 1, firstByte: 2, total: 5 },
    requests: 1,
    bytes: 1,
    outcomes: [
      { slot: 10, column: 1, outcome: "success", blockRoot: "0x00", blobs: 1 },
      {
        slot: 10,
        column: 2,
        outcome: "suspected",
        suspicion: "missing",
        reason: "left out",
        blockRoot: "0x00",
        blobs: 1
      }
    ],
    recovered: 0,
    findings: [{ kind: "unordered_sidecar", detail: "2 before 1" }]
  }
})

describe("what is told of one peer that is followed", () => {
  it("is every probe, with what went wrong in it", () => {
    assert.deepStrictEqual(linesOf(sampling("me"), "me"), [
      "asked         slots 10 to 12, 2 columns: 1 success, 1 suspected in 5 ms",
      "              left out",
      "finding       unordered_sidecar: 2 before 1"
    ])
  })

  it("is its comings and goings", () => {
    const event: Event = {
      _tag: "NodeTracking",
      ...stamp,
      peerId: "me",
      change: "disconnected",
      detail: "it left",
      peer: peerOf("me")
    }
    assert.deepStrictEqual(linesOf(event, "me"), ["disconnected  it left"])
    assert.deepStrictEqual(linesOf({ ...event, change: "tracked" }, "me"), [])
  })

  it("is nothing of anybody else", () => {
    assert.deepStrictEqual(linesOf(sampling("another"), "me"), [])
  })
})
