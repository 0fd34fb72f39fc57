import { Duration, Effect, Option } from "effect"
import type { StatusMessage } from "../../wire/Handshake.ts"
import type { Custodian, CustodyClaim, CustodyNode } from "../OwnCustody.ts"

/** Where a node looks for its custodian, who comes after it, and goes before it. */
export interface CustodySeat extends CustodyNode {
  /** Who is employed; nobody if that is so a while from now still. */
  readonly custodian: Effect.Effect<Option.Option<Custodian>>
}

export const makeCustodySeat = (custodyGroupCount: number): CustodySeat => {
  let employed = Option.none<Custodian>()
  const isTaken = Effect.unsafeMakeLatch()
  const leave = Effect.suspend(() => {
    employed = Option.none()
    return isTaken.close
  })
  return {
    custodyGroupCount,
    custodian: Effect.map(Effect.timeoutOption(isTaken.await, longestWait), () => employed),
    employ: (custodian) =>
      Effect.asVoid(
        Effect.acquireRelease(
          Effect.suspend(() => {
            employed = Option.some(custodian)
            return isTaken.open
          }),
          () => leave
        )
      )
  }
}

/**
 * A Status that claims no column that is not kept: its earliest available slot is the custodian's, and its head no newer than the
 * block up to which everything is there. All else stays as it is for whoever keeps nothing, the old finalized checkpoint too:
 * the claim of a Status is one of blocks as well, and of those we have none. Whoever is as far as the network is asked for
 * blocks by nodes that sync, and thrown out for empty answers; nodes that go by custody and earliest slot alone ask us for
 * columns nevertheless.
 */
export const custodyStatus = (status: Effect.Effect<StatusMessage>, seat: CustodySeat): Effect.Effect<StatusMessage> =>
  Effect.gen(function* () {
    const custodian = yield* seat.custodian
    const message = yield* status
    const claim = yield* Effect.transposeMapOption(custodian, (custodian) => custodian.claim)
    return Option.match(claim, { onNone: () => message, onSome: (claim) => claiming(message, claim) })
  })

const claiming = (message: StatusMessage, { earliestAvailableSlot, head }: CustodyClaim): StatusMessage => {
  const { root, slot } = Option.getOrElse(head, () => ({ slot: message.headSlot, root: message.headRoot }))
  const [headSlot, headRoot] = slot < message.headSlot ? [slot, root] : [message.headSlot, message.headRoot]
  return { ...message, headSlot, headRoot, earliestAvailableSlot: Math.min(earliestAvailableSlot, headSlot) }
}

/** As long as whoever asks waits for an answer's first byte, and some less. */
const longestWait = Duration.seconds(3)
