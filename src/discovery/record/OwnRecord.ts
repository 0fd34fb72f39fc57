import { Context, Effect, type Option, Stream, type SubscriptionRef } from "effect"
import type { OwnRecordView } from "../../domain/OwnRecord.ts"

/** Our own ENR, and what others reach us at. */
export interface OwnRecordState {
  /** Its text. */
  readonly enr: string
  readonly sequence: bigint
  /** Multiaddrs of the addresses that are in it, without `/p2p/…`; empty while nothing is known, or to be known. */
  readonly advertised: ReadonlyArray<string>
  /** Where others see our packets come from, as `/ip…/udp/…`, and how many say so. */
  readonly observed: ReadonlyArray<{ readonly address: string; readonly votes: number }>
}

/** What is told of our own ENR; nothing where none is published. */
export class OwnRecord extends Context.Reference<OwnRecord>()("dasmon/OwnRecord", {
  defaultValue: (): OwnRecordAccount => unpublished
}) {}

export interface OwnRecordAccount {
  readonly current: Effect.Effect<Option.Option<OwnRecordState>>
  /** The one of this moment, and then each as it becomes another. */
  readonly changes: Stream.Stream<OwnRecordState>
}

export const unpublished: OwnRecordAccount = { current: Effect.succeedNone, changes: Stream.never }

/** As the status tells it. */
export const viewOf = ({ advertised, enr, observed, sequence }: OwnRecordState): OwnRecordView => ({
  enr,
  sequence: String(sequence),
  advertised,
  observed
})

export const ownRecordOf = (ref: SubscriptionRef.SubscriptionRef<OwnRecordState>): OwnRecordAccount => ({
  current: Effect.asSome(ref.get),
  changes: ref.changes
})
