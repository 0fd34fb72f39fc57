import { assert, describe, it } from "@effect/vitest"
import { Duration, Either, FastCheck as fc } from "effect"
import type { Outcome } from "../../../src/domain/probe/Job.ts"
import { outcomeKinds } from "../../../src/domain/probe/Outcome.ts"
import { describeFrame, encodeEvent, readFrames } from "../../../src/xatu/event/Codec.ts"
import { makeHeartbeats } from "../../../src/xatu/event/Heartbeats.ts"
import { probeEvents } from "../../../src/xatu/event/ProbeEvents.ts"
import type { Sender, XatuEvent } from "../../../src/xatu/event/XatuEvent.ts"
import { slotStart } from "../../../src/domain/network/Chain.ts"
import { arrivalEvent } from "../../../src/xatu/event/ArrivalEvents.ts"
import { columnArrival } from "../../events/fixtures.ts"
import { makeChain } from "../../domain/network/Chains.ts"
import { peerOf, probeOf } from "../../http/FakeDasmon.ts"
import { outcomeOf, peerA } from "../Fixture.ts"
import { readRequest } from "../XatuProto.ts"

const sender: Sender = {
  name: "dasmon-ts-1",
  version: "0.1.0",
  id: "6f1c1f3e-8f0a-4a70-9f3e-0d2b6a1f0002",
  implementation: "dasmon-ts",
  os: "linux",
  ethereum: {
    network: { name: "mainnet", id: 1 },
    consensus: { implementation: "lodestar", version: "v1.36.0" }
  }
}

const at = (text: string): number => Date.parse(text)

const sample: XatuEvent = {
  event: {
    name: "LIBP2P_TRACE_RPC_DATA_COLUMN_CUSTODY_PROBE",
    date_time: at("2025-12-10T12:00:02.500Z"),
    id: "6f1c1f3e-8f0a-4a70-9f3e-0d2b6a1f0001"
  },
  meta: {
    client: {
      ...sender,
      libp2p_trace_rpc_data_column_custody_probe: {
        metadata: { peer_id: peerA },
        epoch: { number: 411_392, start_date_time: at("2025-12-03T21:49:11Z") },
        slot: { number: 13_164_544, start_date_time: at("2025-12-03T21:49:11Z") },
        wallclock_epoch: { number: 412_874, start_date_time: at("2025-12-10T11:53:59Z") },
        wallclock_slot: { number: 13_211_998, start_date_time: at("2025-12-10T11:59:59Z") }
      }
    }
  },
  libp2p_trace_rpc_data_column_custody_probe: {
    peer_id: peerA,
    slot: 13_164_544,
    epoch: 411_392,
    column_index: 42,
    column_rows_count: 6,
    beacon_block_root: `0x${"ab".repeat(32)}`,
    result: "success",
    response_time_ms: 212
  }
}

/** A request with the sample alone, as it is written by the descriptors that Xatu is built from. */
const sampleBytes = Buffer.from(
  "CtYDCjYIThIMCMLB5ckGEIDKte4BGiQ2ZjFjMWYzZS04ZjBhLTRhNzAtOWYzZS0wZDJiNmExZjAwMDES8wEK8AEKC2Rhc21vbi10cy0xEgUwLjEuMBokNmYxYzFmM2UtOGYwYS00YTcwLTlmM2UtMGQyYjZhMWYwMDAyIglkYXNtb24tdHMqBWxpbnV4QiIKCwoHbWFpbm5ldBABGhMKCGxvZGVzdGFyEgd2MS4zNi4wwgV9CjkKNwo1MTZVaXUySEFtU1VZZHRNc1Y3NG51cE5OY0VKZWZ1bkRwUGlES2pXaVVVNVBFdldvNVJ0N2cSDgoECICOGRIGCNfgwskGGg8KBQiAwKMGEgYI1+DCyQYiDgoECMqZGRIGCNe+5ckGKg8KBQjesqYGEgYIv8HlyQbCDKQBEjcKNTE2VWl1MkhBbVNVWWR0TXNWNzRudXBOTmNFSmVmdW5EcFBpREtqV2lVVTVQRXZXbzVSdDdnGgUIgMCjBioECICOGVoCCCpiAggGakQKQjB4YWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYnIJCgdzdWNjZXNzegMI1AE=",
  "base64"
)

const encoded = (event: XatuEvent): Uint8Array => Either.getOrThrow(encodeEvent(event))

describe("an event for Xatu", () => {
  it("is written byte for byte as by Xatu's own descriptors", () => {
    assert.strictEqual(Buffer.from(encoded(sample)).toString("hex"), sampleBytes.toString("hex"))
  })

  it("is refused here if it would be refused there, or if nobody could use it", () => {
    const data = sample.libp2p_trace_rpc_data_column_custody_probe
    if (data === undefined) throw new Error("no data")
    const withData = (part: Partial<typeof data>) =>
      encodeEvent({ ...sample, libp2p_trace_rpc_data_column_custody_probe: { ...data, ...part } })
    assert.isTrue(Either.isRight(withData({})))
    assert.isTrue(Either.isRight(withData({ slot: 0, column_index: 0, column_rows_count: 0, response_time_ms: 0 })))
    for (const part of [
      { peer_id: "" },
      { peer_id: "0x12" },
      { slot: -1 },
      { slot: 2 ** 32 },
      { slot: 1.5 },
      { column_index: 128 },
      { beacon_block_root: "0xab" },
      { response_time_ms: 2 ** 31 },
      { response_time_ms: Number.NaN }
    ]) {
      assert.isTrue(Either.isLeft(withData(part)), JSON.stringify(part))
    }
    const nameless = { ...sender, ethereum: { network: { name: "" } } }
    assert.isTrue(Either.isLeft(encodeEvent({ ...sample, meta: { client: nameless } })))
  })

  it("is named for a person", () => {
    assert.strictEqual(describeFrame(encoded(sample)), `a probe of column 42 of slot 13164544 at ${peerA} (success)`)
    assert.strictEqual(describeFrame(new Uint8Array([1, 2, 3])), "3 bytes that are no event")
  })
})

describe("frames", () => {
  it("are read up to the first that is not whole, wherever a file was cut", () => {
    const one = encoded(sample)
    const file = Buffer.concat([one, one, one])
    fc.assert(
      fc.property(fc.integer({ min: 0, max: file.length }), fc.integer({ min: 0, max: 50 }), (cut, zeros) => {
        const frames = readFrames(Buffer.concat([file.subarray(0, cut), new Uint8Array(zeros)]))
        // Zeros behind a cut may stand for the missing end of a frame.
        assert.isAtLeast(frames.length, Math.floor(cut / one.length))
        assert.isAtMost(frames.length, Math.floor((cut + zeros) / one.length))
        for (const frame of frames.slice(0, Math.floor(cut / one.length))) assert.deepStrictEqual([...frame], [...one])
      }),
      { seed: 1 }
    )
  })

  it("never fail on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        for (const frame of readFrames(Buffer.concat([new Uint8Array([0x0a]), bytes]))) describeFrame(frame)
      }),
      { seed: 2 }
    )
  })
})

describe("the events of a probe", () => {
  const chain = makeChain({})
  const outcome: fc.Arbitrary<Outcome> = fc.record({
    slot: fc.integer({ min: 0, max: 2 ** 31 }),
    column: fc.integer({ min: 0, max: 127 }),
    outcome: fc.constantFrom(...outcomeKinds),
    reason: fc.string({ unit: "binary" }),
    blockRoot: fc.constant(`0x${"cd".repeat(32)}`),
    blobs: fc.integer({ min: 1, max: 72 })
  })
  const expectedWord = { success: "success", missing: "missing" }

  it("tell every kind of outcome in three words, and nothing of what is about us", () => {
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 20 }), fc.integer({ min: 0, max: 10_000 }), (outcomes, total) => {
        const probe = probeOf(peerA, { outcomes, timings: { open: null, firstByte: null, total } })
        const events = [...probeEvents(sender, chain, probe)]
        const told = outcomes.filter(({ outcome }) => outcome !== "refused" && outcome !== "unverifiable")
        assert.strictEqual(events.length, told.length)
        for (const [index, event] of events.entries()) {
          const data = event.libp2p_trace_rpc_data_column_custody_probe
          const about = event.meta.client.libp2p_trace_rpc_data_column_custody_probe
          const of = told[index]
          if (of === undefined || data === undefined || about === undefined) throw new Error("no data")
          const word = new Map(Object.entries(expectedWord)).get(of.outcome) ?? "failure"
          assert.strictEqual(data.result, word)
          assert.strictEqual(data.error?.startsWith(`${of.outcome}:`), word === "failure" ? true : undefined)
          assert.match(data.error ?? "", /^\P{C}{0,500}$/u)
          assert.strictEqual(data.column_rows_count > 0, of.outcome === "success" || of.outcome === "invalid")
          assert.strictEqual(data.response_time_ms, total)
          assert.strictEqual(data.peer_id, about.metadata.peer_id)
          const asked = event.event.date_time - total
          assert.isAtMost(about.wallclock_slot.start_date_time, asked)
          assert.isAbove(about.wallclock_slot.start_date_time + 12_000, asked)
          assert.isTrue(Either.isRight(encodeEvent(event)))
        }
      }),
      { seed: 3 }
    )
  })

  it("tell of a suspicion as of a probe that did not complete, with why, whether it was asked for again or not", () => {
    const outcomes = [
      outcomeOf({ outcome: "suspected", suspicion: "missing", reason: "left out" }),
      outcomeOf({ outcome: "suspected", suspicion: "invalid", check: "header", reason: "another root" })
    ]
    for (const purpose of ["sampling", "confirmation"] as const) {
      const told = [...probeEvents(sender, chain, probeOf(peerA, { outcomes, purpose }))].map((event) => {
        const data = event.libp2p_trace_rpc_data_column_custody_probe
        return [data?.result, data?.error, data?.column_rows_count]
      })
      assert.deepStrictEqual(told, [
        ["failure", "suspected: left out", 0],
        ["failure", "suspected: another root", 6]
      ])
    }
  })

  it("are read by others as they were made, when any text of a peer is in them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), fc.string({ unit: "binary" }), (agent, address) => {
        const peer = { ...peerOf(peerA), agent, address }
        for (const event of makeHeartbeats(sender, Duration.seconds(1)).see(peer, 5000)) readRequest(encoded(event))
      }),
      { seed: 4 }
    )
  })

  it("are many for a probe of many", () => {
    const outcomes = Array.from({ length: 512 }, (_, index) =>
      outcomeOf({ slot: 1000 + (index >> 4), column: index % 16 })
    )
    const events = [...probeEvents(sender, chain, probeOf(peerA, { outcomes }))]
    const keys = new Set(events.map(({ event }) => event.id))
    assert.strictEqual(keys.size, 512)
  })
})

describe("the event of a column that came by gossip", () => {
  const chain = makeChain({})
  const arrival = { ...columnArrival, slot: 1000, at: slotStart(chain, 1000) + 1234, arrivalMs: 1234 }
  const text = (value: string) => ({ value })
  const number = (value: number) => ({ value: String(value) })

  it("is read by others as it was made", () => {
    const event = arrivalEvent(sender, chain, arrival)
    const start = slotStart(chain, 1000) / 1000
    const slot = { number: number(1000), start_date_time: { seconds: String(start) } }
    const epoch = { number: number(31), start_date_time: { seconds: String(start - 8 * 12) } }
    assert.deepStrictEqual(JSON.parse(JSON.stringify(readRequest(encoded(event)))), {
      events: [
        {
          event: {
            name: "LIBP2P_TRACE_GOSSIPSUB_DATA_COLUMN_SIDECAR",
            date_time: { seconds: String(start + 1), nanos: 234_000_000 },
            id: event.event.id
          },
          meta: {
            client: {
              ...sender,
              ethereum: { ...sender.ethereum, network: { name: "mainnet", id: "1" } },
              libp2p_trace_gossipsub_data_column_sidecar: {
                epoch,
                slot,
                wallclock_epoch: epoch,
                wallclock_slot: slot,
                propagation: { slot_start_diff: number(1234) },
                metadata: { peer_id: text(arrival.peerId) },
                topic: text(arrival.topic),
                message_size: { value: 30_372 },
                message_id: text("ef".repeat(20))
              }
            }
          },
          libp2p_trace_gossipsub_data_column_sidecar: {
            index: number(77),
            slot: number(1000),
            proposer_index: number(123_456),
            state_root: text(`0x${"34".repeat(32)}`),
            parent_root: text(`0x${"12".repeat(32)}`),
            kzg_commitments_count: { value: 14 },
            block_root: text(arrival.blockRoot)
          }
        }
      ]
    })
    assert.strictEqual(describeFrame(encoded(event)), "the arrival of column 77 of slot 1000")
  })

  it("tells an early one as 0 ms, in the slot that was running, and nothing of a header that is not there", () => {
    const early = { ...arrival, at: slotStart(chain, 1000) - 300, arrivalMs: -300, header: null, fork: "gloas" }
    const event = arrivalEvent(sender, chain, early)
    const about = event.meta.client.libp2p_trace_gossipsub_data_column_sidecar
    assert.deepStrictEqual([about?.propagation.slot_start_diff, about?.wallclock_slot.number], [0, 999])
    assert.deepStrictEqual(Object.keys(event.libp2p_trace_gossipsub_data_column_sidecar ?? {}), [
      "index",
      "slot",
      "kzg_commitments_count",
      "block_root"
    ])
    assert.isTrue(Either.isRight(encodeEvent(event)))
  })
})

describe("heartbeats", () => {
  it("come when a peer connects, when it is known better, and every so often until it leaves", () => {
    const heartbeats = makeHeartbeats(sender, Duration.seconds(150))
    const names = (events: Iterable<XatuEvent>) =>
      [...events].map(({ event, libp2p_trace_synthetic_heartbeat: beat }) => [
        event.name.split("_").at(-1),
        (beat?.connection_age_ns ?? 0) / 1e9
      ])
    const anonymous = peerOf(peerA, { agent: null })
    assert.deepStrictEqual(names(heartbeats.see(anonymous, 1_000)), [
      ["CONNECTED", 0],
      ["HEARTBEAT", 0]
    ])
    assert.deepStrictEqual(names(heartbeats.see(anonymous, 2_000)), [])
    assert.deepStrictEqual(names(heartbeats.see(peerOf(peerA), 3_000)), [["HEARTBEAT", 2]])
    assert.deepStrictEqual(names(heartbeats.due(152_999)), [])
    assert.deepStrictEqual(names(heartbeats.due(153_000)), [["HEARTBEAT", 152]])
    assert.deepStrictEqual(names(heartbeats.due(153_001)), [])
    // A connection that was lost and made again without a word in between.
    assert.deepStrictEqual(names(heartbeats.see(peerOf(peerA), 160_000, true)), [
      ["CONNECTED", 0],
      ["HEARTBEAT", 0]
    ])
    assert.deepStrictEqual(names(heartbeats.see(peerOf(peerA, { connected: false }), 170_000)), [])
    assert.deepStrictEqual(names(heartbeats.due(1_000_000)), [])
  })
})
