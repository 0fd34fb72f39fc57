import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Duration, Effect } from "effect"
import type { Claim } from "../../../src/domain/peer/Claim.ts"
import type { Outcome, Probe } from "../../../src/domain/probe/Job.ts"
import type { OutcomeKind } from "../../../src/domain/probe/Outcome.ts"
import type { CoverageBlock } from "../../../src/history/store/History.ts"
import { openSqlite } from "../../../src/history/store/sqlite/Sqlite.ts"

/** A folder that is gone when the scope closes. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "dasmon-history-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** A connection of our own, beside the history's. */
export const connect = (filename: string, readonly: boolean) => openSqlite(filename, { readonly })

/** What a query gives, by a connection of our own. */
export const rows = (filename: string, text: string) =>
  Effect.scoped(Effect.flatMap(connect(filename, true), (sql) => sql.unsafe(text)))

export const rootOf = (slot: number): string => `0x${slot.toString(16).padStart(64, "0")}`

export const network = {
  network: "hoodi",
  genesisTime: 1_690_000_000,
  genesisValidatorsRoot: new Uint8Array(32).fill(1),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  retentionEpochs: 4096
}

/** A retention that takes in whatever a test records. */
export const keepAll = Duration.days(36_500)

/** The tested slots of coverage, ascending, with their columns. */
export const testedSlots = (blocks: ReadonlyArray<CoverageBlock>) =>
  blocks.flatMap(({ failed, firstSlot, succeeded, testedAt }) =>
    [...testedAt].flatMap((at, index) => {
      const columns = (masks: Uint8Array) =>
        Array.from({ length: 128 }, (_, column) => column).filter(
          (column) => ((masks[index * 16 + (column >> 3)] ?? 0) & (1 << (column & 7))) !== 0
        )
      return at === 0
        ? []
        : [{ slot: firstSlot + index, succeeded: columns(succeeded), failed: columns(failed), testedAt: at }]
    })
  )

export const outcome = (slot: number, column: number, kind: OutcomeKind, reason?: string): Outcome => ({
  slot,
  column,
  outcome: kind,
  ...(kind === "invalid" ? { check: "kzg_proof" as const } : {}),
  ...(kind === "suspected" ? { suspicion: "missing" as const } : {}),
  ...(reason === undefined ? {} : { reason }),
  blockRoot: rootOf(slot),
  blobs: 3
})

export const probe = (
  id: string,
  peerId: string,
  outcomes: ReadonlyArray<Outcome>,
  more: Partial<Probe> = {}
): Probe => ({
  id,
  purpose: "sampling",
  job: {
    peerId,
    startSlot: Math.min(...outcomes.map(({ slot }) => slot)),
    count: 1 + Math.max(...outcomes.map(({ slot }) => slot)) - Math.min(...outcomes.map(({ slot }) => slot)),
    columns: [...new Set(outcomes.map(({ column }) => column))].sort((a, b) => a - b)
  },
  startedAt: 1_700_000_000_000,
  finishedAt: 1_700_000_000_500,
  timings: { open: 3, firstByte: 20, total: 500 },
  requests: 1,
  bytes: 12_345,
  outcomes,
  recovered: 0,
  findings: [],
  ...more
})

export const claim = (more: Partial<Claim> = {}): Claim => ({
  custodyGroupCount: 4,
  source: "metadata",
  columns: [1, 5, 64, 127],
  earliestAvailableSlot: 64,
  headSlot: 900,
  finalized: { epoch: 26, root: rootOf(832) },
  forkDigest: "0x01020304",
  sequenceNumber: 1,
  observedAt: 1_700_000_000_000,
  ...more
})
