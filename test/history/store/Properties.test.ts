import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import { cover, decodeChunk, emptyChunk, encodeChunk } from "../../../src/history/store/CoverageChunk.ts"
import { History } from "../../../src/history/store/History.ts"
import { HistoryRecord } from "../../../src/history/store/HistoryRecord.ts"
import { layer as layerMemory } from "../../../src/history/store/MemoryHistory.ts"
import { decodeSections, encodeSections, sectionsOf } from "../../../src/history/store/sqlite/OutcomeSections.ts"
import { layer as layerSqlite } from "../../../src/history/store/SqliteHistory.ts"
import { peerIds, probeArbitrary, recordArbitrary } from "./Arbitraries.ts"
import { temporaryFolder } from "./Fixture.ts"

const record = (history: History["Type"]) =>
  HistoryRecord.$match({
    Probe: ({ conversation, probe }) => history.recordProbe(probe, conversation),
    Orphan: ({ at, root, slot }) => history.recordOrphan(slot, root, at),
    Arrivals: ({ arrivals }) => history.recordArrivals(arrivals),
    Availability: ({ verdict }) => history.recordAvailability(verdict),
    GossipFault: ({ fault }) => history.recordGossipFault(fault),
    Conversation: ({ at, conversation, failure, peerId }) =>
      history.recordConversation(peerId, conversation, failure, at),
    Claim: ({ claim, peerId }) => history.recordClaim(peerId, claim),
    Findings: ({ findings, peerId }) => history.recordFindings(peerId, findings),
    Standing: ({ peerId, standing }) => history.recordStanding(peerId, standing),
    Peer: ({ peerId, ...seen }) => history.recordPeer(peerId, seen)
  })

/** Everything that can be asked after `records`. */
const answers = (records: ReadonlyArray<HistoryRecord>) =>
  Effect.gen(function* () {
    const history = yield* History
    yield* Effect.forEach(records, record(history), { discard: true })
    yield* history.flush
    const probes = records.filter((record) => record._tag === "Probe").map(({ probe }) => probe.id)
    return {
      totals: yield* history.totals,
      probes: yield* Effect.forEach(probes, history.probe),
      peers: yield* Effect.forEach(peerIds, (peerId) =>
        Effect.all([
          history.peer(peerId),
          history.claims(peerId),
          history.gossipFaults(peerId),
          history.coverage(peerId, 0),
          history.coverage(peerId, 120),
          history.failing(peerId, 0),
          history.failing(peerId, 1_750_000_000_000)
        ])
      )
    }
  })

const sqlite = Layer.unwrapScoped(
  Effect.map(temporaryFolder, (folder) => layerSqlite({ path: join(folder, "history.db") }))
)

describe("both histories", () => {
  it("answer alike, whatever was recorded", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(recordArbitrary, { maxLength: 12 }), async (records) => {
        const [onDisk, inMemory] = await Effect.runPromise(
          Effect.all([Effect.provide(answers(records), sqlite), Effect.provide(answers(records), layerMemory)])
        )
        assert.deepStrictEqual(onDisk, inMemory)
      }),
      { seed: 20_250_801, numRuns: 25 }
    )
  })
})

describe("outcome sections", () => {
  it("come back from bytes as they were", () => {
    fc.assert(
      fc.property(probeArbitrary, (probe) => {
        const sections = sectionsOf(probe).map(({ masks, slot }, index) => ({ slot, masks, block: index * 1000 }))
        assert.deepStrictEqual(decodeSections(encodeSections(sections)), sections)
      }),
      { seed: 20_250_802, numRuns: 100 }
    )
  })
})

describe("coverage chunks", () => {
  const tests = fc.array(
    fc.tuple(
      fc.integer({ min: 1280, max: 1407 }),
      fc.nat(127),
      fc.boolean(),
      fc.constantFrom(0, 1_700_000_000_000, 1_700_000_000_001)
    ),
    { maxLength: 600 }
  )

  it("come back from bytes as they were", () => {
    fc.assert(
      fc.property(tests, (tests) => {
        const chunk = emptyChunk()
        for (const [slot, column, succeeded, at] of tests) cover(chunk, slot, [column], succeeded, at)
        assert.deepStrictEqual(decodeChunk(encodeChunk(chunk)), chunk)
      }),
      { seed: 20_250_803, numRuns: 200 }
    )
  })

  it("take under a quarter of a byte for a combination of a regular peer", () => {
    const chunk = emptyChunk()
    for (let slot = 0; slot < 128; slot++) {
      cover(chunk, slot, [3, 17, 40, 41, 77, 90, 100, 127], true, 1_700_000_000_000 + (slot >> 4))
    }
    assert.isBelow(encodeChunk(chunk).length / (128 * 8), 0.25)
  })
})
