import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer, Option } from "effect"
import type { Outcome, Probe } from "../../../src/domain/probe/Job.ts"
import {
  addOutcomes,
  blameOf,
  noOutcomes,
  type OutcomeCounts,
  outcomeKinds
} from "../../../src/domain/probe/Outcome.ts"
import { hasColumn, maskBytes } from "../../../src/domain/column/ColumnMask.ts"
import { History } from "../../../src/history/store/History.ts"
import type { HistoryRecord } from "../../../src/history/store/HistoryRecord.ts"
import type { ComplianceBy } from "../../../src/domain/report/Question.ts"
import { dayMs, dayName, dayOf } from "../../../src/domain/Day.ts"
import { clientOf, clientVersionOf } from "../../../src/history/report/ReportAgent.ts"
import { Reports } from "../../../src/history/report/Reports.ts"
import * as ReportsInline from "../../../src/history/report/ReportsInline.ts"
import { layer as layerSqlite } from "../../../src/history/store/SqliteHistory.ts"
import { peerIds, recordArbitrary } from "../store/Arbitraries.ts"
import { temporaryFolder } from "../store/Fixture.ts"

const network = {
  network: "hoodi",
  genesisTime: 1_690_000_000,
  genesisValidatorsRoot: new Uint8Array(32).fill(1),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  retentionEpochs: 4096
}

const record = (history: History["Type"], record: HistoryRecord): Effect.Effect<void> => {
  switch (record._tag) {
    case "Probe":
      return history.recordProbe(record.probe, record.conversation)
    case "Claim":
      return history.recordClaim(record.peerId, record.claim)
    case "Peer":
      return history.recordPeer(record.peerId, record)
    case "Orphan":
      return history.recordOrphan(record.slot, record.root, record.at)
    default:
      return Effect.void
  }
}

/** A probe with what its peer was then. */
interface Seen {
  readonly probe: Probe
  readonly agent: string
  readonly custody: number
}

const seenOf = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<Seen> => {
  const agents = new Map<string, string>()
  const custody = new Map<string, number>()
  const ids = new Set<string>()
  return records.flatMap((record) => {
    if (record._tag === "Peer" && Option.isSome(record.agent)) agents.set(record.peerId, record.agent.value)
    if (record._tag === "Claim") custody.set(record.peerId, record.claim.custodyGroupCount)
    if (record._tag !== "Probe" || ids.has(record.probe.id)) return []
    ids.add(record.probe.id)
    const { peerId } = record.probe.job
    return [{ probe: record.probe, agent: agents.get(peerId) ?? "", custody: custody.get(peerId) ?? 0 }]
  })
}

/** Which groups an outcome is in; a probe without outcomes is in those of the probe. */
const groupOf: Record<ComplianceBy, (seen: Seen, outcome: Outcome | undefined) => string | number | undefined> = {
  peer: ({ probe }) => probe.job.peerId,
  client: ({ agent }) => clientOf(agent),
  version: ({ agent }) => clientVersionOf(agent),
  custody: ({ custody }) => custody,
  column: (_, outcome) => outcome?.column,
  age: ({ probe }, outcome) =>
    outcome === undefined
      ? undefined
      : Math.max(0, Math.floor((probe.finishedAt - network.genesisTime * 1000 - outcome.slot * 12_000) / dayMs)),
  day: ({ probe }) => dayName(dayOf(probe.finishedAt))
}

/** The rows of a question as a person would work them out. */
const expected = (all: ReadonlyArray<Seen>, by: ComplianceBy) => {
  const groups = new Map<string | number, { outcomes: OutcomeCounts; probes: number; peers: Set<string> }>()
  const at = (group: string | number | undefined) => {
    if (group === undefined) return undefined
    const found = groups.get(group) ?? { outcomes: noOutcomes, probes: 0, peers: new Set<string>() }
    groups.set(group, found)
    return found
  }
  for (const seen of all) {
    const whole = at(groupOf[by](seen, undefined))
    if (whole !== undefined) {
      whole.probes++
      whole.peers.add(seen.probe.job.peerId)
    }
    for (const outcome of seen.probe.outcomes) {
      const group = at(groupOf[by](seen, outcome))
      if (group !== undefined) group.outcomes = addOutcomes(group.outcomes, { [outcome.outcome]: 1 })
    }
  }
  const whole = by !== "column" && by !== "age"
  return [...groups]
    .map(([group, { outcomes, peers, probes }]) => ({
      group,
      outcomes,
      probes: whole ? probes : null,
      peers: whole ? peers.size : null,
      tested: outcomes.success + blamedOf(outcomes)
    }))
    .sort((a, b) => (a.group < b.group ? -1 : 1))
}

const blamedOf = (outcomes: OutcomeCounts): number =>
  outcomeKinds.reduce((sum, kind) => sum + (blameOf[kind] === "peer" ? outcomes[kind] : 0), 0)

const questions: ReadonlyArray<ComplianceBy> = ["peer", "client", "version", "custody", "column", "age", "day"]

/** Checks every answer about these records; asks after half of them too, so that sums are added to. */
const check = (records: ReadonlyArray<HistoryRecord>, since: number, until: number) =>
  Effect.gen(function* () {
    const history = yield* History
    const reports = yield* Reports
    yield* Effect.forEach(records, (one) => record(history, one), { discard: true })
    yield* history.flush
    const all = seenOf(records)
    const within = (first: number, last: number) =>
      all.filter(({ probe }) => dayOf(probe.finishedAt) >= first && dayOf(probe.finishedAt) <= last)
    for (const by of questions) {
      for (const [period, seen] of [
        [{}, all],
        [{ since }, within(since, Infinity)],
        [{ since, until }, within(since, until)]
      ] as const) {
        const { rows } = yield* reports.compliance({ by, order: "group", limit: 10_000, ...period })
        assert.deepStrictEqual(
          rows.map(({ group, outcomes, peers, probes, tested }) => ({ group, outcomes, probes, peers, tested })),
          expected(seen, by),
          `${by} ${JSON.stringify(period)}`
        )
      }
    }
    for (const peerId of peerIds) {
      const own = all.filter(({ probe }) => probe.job.peerId === peerId)
      const days = yield* reports.peerDays({ peerId })
      assert.deepStrictEqual(
        days.map(({ group, outcomes }) => [group, outcomes]),
        expected(own, "day").map(({ group, outcomes }) => [group, outcomes])
      )
      const failures = yield* reports.failures({ peerId, limit: 100_000 })
      assert.strictEqual(
        failures.reduce((sum, { combinations }) => sum + combinations, 0),
        own.flatMap(({ probe }) => probe.outcomes).filter(({ outcome }) => outcome !== "success").length
      )
    }
    yield* checkProbes(all)
    yield* checkSlots([...new Set(all.flatMap(({ probe }) => probe.outcomes.map(({ slot }) => slot)))])
  })

/** Who holds what is what coverage says, peer by peer. */
const checkSlots = (slots: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const history = yield* History
    const reports = yield* Reports
    const blocks = yield* Effect.forEach(peerIds, (peerId) =>
      Effect.map(history.coverage(peerId, 0), (blocks) => ({ peerId, blocks }))
    )
    for (const slot of slots) {
      const { columns, held } = yield* reports.slot({ slot })
      const whose = (part: "succeeded" | "failed", column: number) =>
        blocks
          .filter(({ blocks }) =>
            blocks.some(
              (block) =>
                slot >= block.firstSlot &&
                slot < block.firstSlot + 128 &&
                hasColumn(block[part], (slot - block.firstSlot) * maskBytes, column)
            )
          )
          .map(({ peerId }) => peerId)
      const wanted = columns.map(({ column }) => ({
        column,
        failed: whose("failed", column).length,
        holders: new Set(whose("succeeded", column))
      }))
      assert.deepStrictEqual(
        columns.map(({ column, failed, peerIds }) => ({ column, failed, holders: new Set(peerIds) })),
        wanted
      )
      assert.strictEqual(held, wanted.filter(({ holders }) => holders.size > 0).length)
    }
  })

const checkProbes = (all: ReadonlyArray<Seen>) =>
  Effect.gen(function* () {
    const reports = yield* Reports
    const slots = [
      undefined,
      ...new Set(all.flatMap(({ probe }) => probe.outcomes.map(({ slot }) => slot)).slice(0, 3))
    ]
    for (const slot of slots) {
      for (const column of [undefined, 0, 77]) {
        for (const outcome of [undefined, "success", "missing"] as const) {
          for (const peerId of [undefined, peerIds[0]]) {
            const options = {
              limit: 2,
              ...(slot === undefined ? {} : { slot }),
              ...(column === undefined ? {} : { column }),
              ...(outcome === undefined ? {} : { outcome }),
              ...(peerId === undefined ? {} : { peerId })
            }
            const wanted = all
              .filter(({ probe }) => peerId === undefined || probe.job.peerId === peerId)
              .filter(
                ({ probe }) =>
                  (slot === undefined && column === undefined && outcome === undefined) ||
                  probe.outcomes.some(
                    (one) =>
                      (slot === undefined || one.slot === slot) &&
                      (column === undefined || one.column === column) &&
                      (outcome === undefined || one.outcome === outcome)
                  )
              )
            const found: Array<string> = []
            for (let before: number | null | undefined; before !== null;) {
              const page = yield* reports.probes({ ...options, ...(before === undefined ? {} : { before }) })
              found.push(...page.probes.map(({ id }) => id))
              before = page.next
            }
            assert.deepStrictEqual(found, wanted.map(({ probe }) => probe.id).reverse(), JSON.stringify(options))
          }
        }
      }
    }
  })

describe("reports", () => {
  it("say what anybody would work out from the records", async () => {
    const day = fc.integer({ min: dayOf(1_700_000_000_000), max: dayOf(1_800_000_000_000) })
    await fc.assert(
      fc.asyncProperty(fc.array(recordArbitrary, { maxLength: 14 }), day, day, async (records, one, other) => {
        const layer = Layer.unwrapScoped(
          Effect.map(temporaryFolder, (folder) => {
            const path = join(folder, "history.db")
            return Layer.provideMerge(ReportsInline.layer({ path }), layerSqlite({ path, network }))
          })
        )
        await Effect.runPromise(Effect.provide(check(records, Math.min(one, other), Math.max(one, other)), layer))
      }),
      { seed: 20_261_121, numRuns: 15 }
    )
  })
})

describe("an agent", () => {
  it.each([
    ["Lighthouse/v8.0.0-abcdef1/x86_64-linux", "lighthouse", "lighthouse v8.0.0"],
    ["Lighthouse/v8.0.0-rc.1-abcdef1/x86_64-linux", "lighthouse", "lighthouse v8.0.0-rc.1"],
    ["teku/teku/v25.9.0+12-gabc/linux-x86_64", "teku", "teku v25.9.0"],
    ["nimbus", "nimbus", "nimbus"],
    ["Prysm/6.1.2/0123456789abcdef", "prysm", "prysm v6.1.2"],
    ["erigon/caplin", "caplin", "caplin"],
    ["erigon/caplin/3.3.0", "caplin", "caplin v3.3.0"],
    ["erigon/shutter/3.3.0", "other", "erigon v3.3.0"],
    ["\u001b[31m=x,\n/1.2", "other", "31mx v1.2"],
    ["/", "other", "other"],
    ["", "unknown", "unknown"],
    [null, "unknown", "unknown"]
  ])("%j is a client and a version", (agent, client, version) => {
    assert.strictEqual(clientOf(agent), client)
    assert.strictEqual(clientVersionOf(agent), version)
  })
})
