import { Effect } from "effect"
import type { StatusMessage } from "../../wire/Handshake.ts"
import type { Custodian, CustodyNode } from "../OwnCustody.ts"

/** Where a node looks for its custodian, who comes after it, and goes before it. */
export interface CustodySeat extends CustodyNode {
  /** Nobody while none is employed. */
  readonly current: () => Custodian | undefined
}

export const makeCustodySeat = (custodyGroupCount: number): CustodySeat => {
  let employed: Custodian | undefined
  return {
    custodyGroupCount,
    current: () => employed,
    employ: (custodian) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.sync(() => (employed = custodian)),
          () => Effect.sync(() => (employed = employed === custodian ? undefined : employed))
        )
      )
  }
}

/**
 * A Status whose earliest available slot is that of the columns that are kept. All else stays as it is for whoever keeps
 * nothing, the old finalized checkpoint too: the claim of a Status is one of blocks as well, and of those we have none. Whoever is
 * as far as the network is asked for blocks by nodes that sync, and thrown out for empty answers; nodes that go by custody
 * and earliest slot alone ask us for columns nevertheless.
 */
export const custodyStatus = (status: Effect.Effect<StatusMessage>, seat: CustodySeat): Effect.Effect<StatusMessage> =>
  Effect.flatMap(status, (message) => {
    const custodian = seat.current()
    return custodian === undefined
      ? Effect.succeed({ ...message, earliestAvailableSlot: message.headSlot + 1 })
      : Effect.map(custodian.earliestAvailableSlot, (earliestAvailableSlot) => ({ ...message, earliestAvailableSlot }))
  })
