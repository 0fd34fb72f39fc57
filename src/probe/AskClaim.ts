import { Duration, Effect } from "effect"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import { Unverifiable } from "../domain/probe/Outcome.ts"
import type { Externs } from "../host/Externs.ts"

/** What the peer says of itself now; a host that never answers ends as our own failure, not as the peer's. */
export const askClaim = (peerRefresh: Externs["Type"]["peerRefresh"], peer: PeerAddress) =>
  Effect.suspend(() => peerRefresh(peer)).pipe(
    Effect.disconnect,
    Effect.timeoutFail({
      duration: limit,
      onTimeout: () =>
        new Unverifiable({ reason: "overload", detail: `the host gave no answer within ${Duration.format(limit)}` })
    })
  )

/** Three times as long as the handshake of the stand-alone host may take. */
const limit = Duration.seconds(30)
