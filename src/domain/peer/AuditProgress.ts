import { Schema } from "effect"

/** How far the audit of all peers has come. */
export const AuditProgress = Schema.Struct({
  /** Nodes in the address book. */
  known: Schema.Int,
  /** Of these, the ones that are connected, or were when they were last dialled. */
  reachable: Schema.Int,
  /** Peers whose last probe ended within the last hour, day, and window of the verdict. */
  audited: Schema.Struct({ hour: Schema.Int, day: Schema.Int, window: Schema.Int }),
  /** Peers an hour that this round comes to, as it went in the last hour. */
  peersPerHour: Schema.Number,
  /**
   * Unix milliseconds at which every peer that can be reached will have been audited in this round, at this pace; `null`
   * while there is no pace. A round begins with the program, and when the one before is done.
   */
  roundDoneAt: Schema.NullOr(Schema.Number),
  /** Columns that too few of the connected peers hold. */
  columnsLacking: Schema.Int
}).annotations({ identifier: "AuditProgress" })
export type AuditProgress = typeof AuditProgress.Type

export const noProgress: AuditProgress = {
  known: 0,
  reachable: 0,
  audited: { hour: 0, day: 0, window: 0 },
  peersPerHour: 0,
  roundDoneAt: null,
  columnsLacking: 0
}
