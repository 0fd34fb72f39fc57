import { PeerRefused, type RefusedReason } from "../domain/probe/Outcome.ts"

/** Goodbye codes: 1 to 3 of the specification, the others as clients use them. */
export const goodbyeCodes = {
  shutdown: 1,
  irrelevantNetwork: 2,
  fault: 3,
  unableToVerifyNetwork: 128,
  tooManyPeers: 129,
  /** Teku. */
  rateLimited: 130,
  badScore: 250,
  banned: 251,
  bannedAddress: 252
} as const

/** What a Goodbye of the peer says about us. */
export const goodbyeRefusal = (code: number): PeerRefused => {
  const [reason, text] = meanings.get(code) ?? ["server_error" as const, "unknown code"]
  return new PeerRefused({ reason, detail: `goodbye ${code} (${text})` })
}

const meanings: ReadonlyMap<number, readonly [RefusedReason, string]> = new Map([
  [goodbyeCodes.shutdown, ["shutdown", "shutting down"]],
  [goodbyeCodes.irrelevantNetwork, ["wrong_network", "irrelevant network"]],
  [goodbyeCodes.fault, ["server_error", "fault"]],
  [goodbyeCodes.unableToVerifyNetwork, ["wrong_network", "unable to verify network"]],
  [goodbyeCodes.tooManyPeers, ["too_many_peers", "too many peers"]],
  [goodbyeCodes.rateLimited, ["rate_limited", "rate limited"]],
  [goodbyeCodes.badScore, ["banned", "bad score"]],
  [goodbyeCodes.banned, ["banned", "banned"]],
  [goodbyeCodes.bannedAddress, ["banned", "banned address"]]
])
