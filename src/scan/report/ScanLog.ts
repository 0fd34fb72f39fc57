import { Option } from "effect"
import type { ClaimParts } from "../../domain/peer/ClaimParts.ts"
import type { SlotRange } from "../../domain/network/Chain.ts"
import type { NodeRecord } from "../../domain/peer/NodeRecord.ts"
import type { Slot } from "../../domain/Primitives.ts"
import type { ConnectedPeer } from "../../host/Host.ts"
import type { Finality } from "../../probe/Finality.ts"
import type { ProbeResult } from "../../probe/Prober.ts"
import type { ScanFailure } from "./ScanFailure.ts"
import type { PingSaid } from "../../domain/scan/ScanReport.ts"
import type { Target } from "../target/Target.ts"

/** What a peer says of itself. */
export type Statement = Omit<ClaimParts, "nodeId">

/**
 * What was found out so far about one target. The fiber that scans it writes to it; whoever ends that fiber, for whatever
 * reason, still has all that was written until then.
 */
export interface ScanLog {
  readonly target: Target
  /** Unix milliseconds. */
  readonly startedAt: number
  addresses: ReadonlyArray<string>
  addressesFrom: string
  record: Option.Option<NodeRecord>
  connection: Option.Option<{
    readonly peer: ConnectedPeer
    readonly dialMs: number
    readonly protocols: ReadonlyArray<string>
  }>
  statement: Option.Option<Statement>
  ours: { readonly forkDigests: ReadonlyArray<string>; readonly headSlot: Slot; readonly finalizedEpoch: number | null }
  finality: Option.Option<Finality>
  subscribed: Option.Option<ReadonlyArray<number>>
  range: Option.Option<SlotRange>
  slots: ReadonlyArray<Slot>
  columns: ReadonlyArray<number>
  failure: Option.Option<ScanFailure>
  readonly pings: Array<PingSaid>
  readonly passedOver: Array<{ readonly slot: Slot; readonly reason: string }>
  readonly results: Array<ProbeResult>
  readonly notes: Array<string>
}

export const makeScanLog = (target: Target, startedAt: number): ScanLog => ({
  target,
  startedAt,
  addresses: target.address.multiaddrs,
  addressesFrom: "target",
  record: target.record,
  connection: Option.none(),
  statement: Option.none(),
  ours: { forkDigests: [], headSlot: 0, finalizedEpoch: null },
  finality: Option.none(),
  subscribed: Option.none(),
  range: Option.none(),
  slots: [],
  columns: [],
  failure: Option.none(),
  pings: [],
  passedOver: [],
  results: [],
  notes: []
})
