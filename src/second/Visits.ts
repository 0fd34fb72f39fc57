import { Duration, Effect, FiberMap, Random, type Scope } from "effect"
import type { PeerId } from "../domain/Primitives.ts"
import type { Host } from "../host/Host.ts"
import { goodbyeCodes } from "../wire/Refusal.ts"

/**
 * How long the second identity stays with a peer after it has asked: some minutes, like a node that has too many peers
 * for a while, and not like someone who asks and goes. Few peers give a place of theirs to it at once.
 */
export interface Visits {
  /** The peer is about to be asked: whatever would end the connection meanwhile is called off. */
  readonly begin: (peerId: PeerId) => Effect.Effect<void>
  /** What was asked is answered, for now. */
  readonly end: (peerId: PeerId) => Effect.Effect<void>
}

const stay = { least: Duration.minutes(2), most: Duration.minutes(10) }
const mostStays = 64

export const makeVisits = Effect.fnUntraced(function* (
  host: Host["Type"]
): Effect.fn.Return<Visits, never, Scope.Scope> {
  const leaving = yield* FiberMap.make<PeerId>()
  /** In the order in which they were asked. */
  const staying = new Set<PeerId>()

  const leave = (peerId: PeerId) =>
    Effect.suspend(() => {
      staying.delete(peerId)
      return host.disconnect(peerId, goodbyeCodes.tooManyPeers)
    })

  const leaveAfter = (peerId: PeerId, time: Duration.DurationInput) =>
    FiberMap.run(leaving, peerId, Effect.delay(leave(peerId), time))

  return {
    begin: (peerId) =>
      Effect.suspend(() => {
        staying.delete(peerId)
        return FiberMap.remove(leaving, peerId)
      }),
    end: (peerId) =>
      Effect.gen(function* () {
        staying.delete(peerId)
        staying.add(peerId)
        yield* leaveAfter(peerId, yield* Random.nextRange(Duration.toMillis(stay.least), Duration.toMillis(stay.most)))
        const [longest] = staying
        if (staying.size > mostStays && longest !== undefined) yield* leaveAfter(longest, Duration.zero)
      })
  }
})
