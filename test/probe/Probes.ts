import { Duration, Effect, Either, Layer, Option } from "effect"
import type { ClaimHistory } from "../../src/domain/peer/ClaimHistory.ts"
import { type SuspectedSlot, withOutcomes } from "../../src/domain/peer/Suspicions.ts"
import type { Job, Outcome } from "../../src/domain/probe/Job.ts"
import type { Verifier } from "../../src/kzg/Verifier.ts"
import { Prober, type ProbeResult } from "../../src/probe/Prober.ts"
import type { LoopLag } from "../../src/runtime/LoopLag.ts"
import type { ColumnsByRange, ColumnsOfBlock } from "../../src/wire/Requests.ts"
import {
  claimOf,
  claimsOf,
  layerWorld,
  makeWorld,
  nodeId,
  peer,
  type PeerModel,
  type Sent,
  statement,
  type World
} from "./FakeWorld.ts"

export const custody = claimOf(statement(8)).columns
/** Slots are counted from `first`. */
export const jobOver = (start: number, count: number): Job => ({
  peerId: peer.peerId,
  startSlot: first + start,
  count,
  columns: custody
})

export const probe = (
  world: World,
  model: PeerModel,
  job: Job,
  over: {
    readonly lag?: Layer.Layer<LoopLag>
    readonly verifier?: Layer.Layer<Verifier>
    readonly confirms?: SuspectedSlot
  } = {},
  claims: ClaimHistory = claimsOf(statement(8))
) =>
  Effect.flatMap(Prober, (prober) =>
    prober.probe({
      address: peer,
      nodeId,
      claims,
      job,
      confirms: over.confirms === undefined ? [] : [over.confirms],
      agent: Option.some("Nimbus/v1"),
      remoteAddress: Option.none()
    })
  ).pipe(
    Effect.provide(
      Prober.layer.pipe(
        Layer.provide(over.lag ?? Layer.empty),
        Layer.provide(over.verifier ?? Layer.empty),
        Layer.provide(layerWorld(world, model))
      )
    )
  )

/** The questions that would settle what a probe suspects. */
export const suspicionsOf = (
  { finalUpTo, probe }: ProbeResult,
  before: ReadonlyArray<SuspectedSlot> = []
): ReadonlyArray<SuspectedSlot> => [
  ...withOutcomes(new Map(before.map((one) => [one.slot, one])), {
    outcomes: probe.outcomes,
    at: probe.finishedAt,
    isConfirmation: probe.purpose === "confirmation",
    finalUpTo,
    confirmAfter: Duration.minutes(10)
  }).values()
]

/** The question that would settle what is suspected in the first of these slots. */
export const askAgain = (world: World, model: PeerModel, [confirms]: ReadonlyArray<SuspectedSlot>) => {
  if (confirms === undefined) throw new Error("nothing is suspected")
  const columns = confirms.columns.map(({ column }) => column)
  return probe(world, model, { peerId: peer.peerId, startSlot: confirms.slot, count: 1, columns }, { confirms })
}

/** Every column of every block with blobs that was asked for, in order. */
export const honestRange = (world: World, { columns, count, startSlot }: ColumnsByRange): ReadonlyArray<Sent> =>
  [...world.canonical.values()]
    .filter(({ commitments, slot }) => commitments.length > 0 && slot >= startSlot && slot < startSlot + count)
    .sort((a, b) => a.slot - b.slot)
    .flatMap(({ slot }) => columns.filter((column) => custody.includes(column)).map((column) => ({ slot, column })))

export const honestRoot = (world: World, request: ReadonlyArray<ColumnsOfBlock>): ReadonlyArray<Sent> =>
  request.flatMap(({ blockRoot, columns }) => {
    const block = [...world.canonical.values(), ...world.orphans.values()].find(({ root }) => root === blockRoot)
    return block === undefined || block.commitments.length === 0
      ? []
      : columns
          .filter((column) => custody.includes(column))
          .map((column) => ({ slot: block.slot, column, root: block.root }))
  })

export const honest = (world: World): PeerModel => ({
  byRange: (request) => ({ sent: honestRange(world, request) }),
  byRoot: (request) => ({ sent: honestRoot(world, request) }),
  statement: () => Either.right(statement(8))
})

/** Slots from 64 on: those below 32 are at the edge of a claim that begins at 0. */
export const first = 64
export const world16 = () => makeWorld(new Map(Array.from({ length: 16 }, (_, index) => [first + index, index % 3])))
export const due16 = 16 - 6

export const kinds = (outcomes: ReadonlyArray<Outcome>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
export const silent = (world: World): PeerModel => ({
  ...honest(world),
  byRange: () => ({ sent: [] }),
  byRoot: () => ({ sent: [] })
})
