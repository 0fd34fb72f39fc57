import { type Duration, Effect, Option, type Scope, type Stream } from "effect"
import type { BeaconFailure } from "../BeaconFailure.ts"
import type { BeaconHttp } from "../BeaconHttp.ts"

/**
 * The ways in which a node is asked for its events, until it takes one. A node refuses all of a subscription for one topic
 * that it does not know: `head_v2` is newer than most nodes, and `head` is deprecated with it (beacon-APIs #590). The
 * specification repeats the parameter; some older servers know only a list of names in one.
 */
const subscriptions: ReadonlyArray<string> = [
  "topics=head&topics=head_v2&topics=finalized_checkpoint&topics=chain_reorg",
  "topics=head&topics=finalized_checkpoint&topics=chain_reorg",
  "topics=head_v2&topics=finalized_checkpoint&topics=chain_reorg",
  "topics=head,finalized_checkpoint,chain_reorg"
]

/**
 * Opens a node's events of heads, finality and reorgs, as many of the topics as it knows; `limit` is for the head of one
 * answer. It begins with all topics each time: the node may be a newer one by now.
 */
export const openEvents = (
  http: BeaconHttp,
  limit: Duration.Duration
): Effect.Effect<Stream.Stream<Uint8Array, BeaconFailure>, BeaconFailure, Scope.Scope> => {
  const open = ([first = "", ...others]: ReadonlyArray<string>): ReturnType<typeof openEvents> => {
    const opened = http.open(`/eth/v1/events?${first}`, "text/event-stream", limit)
    return others.length === 0 ? opened : Effect.catchIf(opened, isRefusal, () => open(others))
  }
  return open(subscriptions)
}

/** What nodes answer to a topic that they do not know. */
const isRefusal = ({ status }: BeaconFailure): boolean =>
  Option.exists(status, (code) => code === badRequest || code === unprocessable)

const badRequest = 400
const unprocessable = 422
