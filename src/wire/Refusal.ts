import { ColumnsUnavailable, PeerRefused, type RefusedReason, type RequestError } from "../domain/probe/Outcome.ts"

/** The first byte of a response chunk (phase0/p2p-interface.md, "Responding side"). */
export const resultCodes = {
  success: 0,
  invalidRequest: 1,
  serverError: 2,
  resourceUnavailable: 3,
  /** Not in the specification: Lighthouse and Lodestar. */
  rateLimited: 139
} as const

/** Goodbye codes: 1 to 3 of the specification, the others as clients use them. */
export const goodbyeCodes = {
  /** Lighthouse and Grandine, to whom they ban. */
  unknown: 0,
  shutdown: 1,
  irrelevantNetwork: 2,
  fault: 3,
  unableToVerifyNetwork: 128,
  tooManyPeers: 129,
  /** Teku. */
  rateLimited: 130,
  /** Nimbus. */
  scoreLow: 237,
  badScore: 250,
  banned: 251,
  bannedAddress: 252
} as const

/** What an error chunk comes to. `message` is made printable already. */
export const refusalOf = (code: number, message: string): RequestError => {
  const detail = `code ${code}${message === "" ? "" : `: ${message}`}`
  if (code === resultCodes.resourceUnavailable) return new ColumnsUnavailable({ detail })
  if (code === resultCodes.rateLimited) return new PeerRefused({ reason: "rate_limited", detail, resultCode: code })
  if (code !== resultCodes.invalidRequest) return new PeerRefused({ reason: "server_error", detail, resultCode: code })
  // Prysm says "rate limited", Teku "Peer has been rate limited", both with code 1.
  const reason = /rate[\s-]*limit/i.test(message) ? "rate_limited" : "invalid_request"
  return new PeerRefused({ reason, detail, resultCode: code, ...(message === "" ? { isBare: true } : {}) })
}

/** What a peer says so soon after identify (milliseconds), it says of who we are and not of what we did. */
export const atOnceMs = 3000

/**
 * What a Goodbye of the peer says about us. `atOnce`: it came right after identify, before anything that we did could be
 * the reason.
 */
export const goodbyeRefusal = (code: number, atOnce = false): PeerRefused => {
  if (code === goodbyeCodes.unknown) return new PeerRefused({ reason: "banned", detail: banDetail(atOnce) })
  const [reason, text] = meanings.get(code) ?? ["server_error" as const, "unknown code"]
  return new PeerRefused({ reason, detail: `goodbye ${code} (${text})` })
}

const banDetail = (atOnce: boolean): string =>
  atOnce
    ? "goodbye 0 right after identify: Lighthouse and Grandine ban a peer so that they cannot use, as one that does not speak gossipsub"
    : "goodbye 0: Lighthouse and Grandine say it to a peer that they ban, as one whose score has fallen too low"

const meanings: ReadonlyMap<number, readonly [RefusedReason, string]> = new Map([
  [goodbyeCodes.shutdown, ["shutdown", "shutting down"]],
  [goodbyeCodes.irrelevantNetwork, ["wrong_network", "irrelevant network"]],
  [goodbyeCodes.fault, ["server_error", "fault"]],
  [goodbyeCodes.unableToVerifyNetwork, ["wrong_network", "unable to verify network"]],
  [goodbyeCodes.tooManyPeers, ["too_many_peers", "too many peers"]],
  [goodbyeCodes.rateLimited, ["rate_limited", "rate limited"]],
  [goodbyeCodes.scoreLow, ["banned", "score low"]],
  [goodbyeCodes.badScore, ["banned", "bad score"]],
  [goodbyeCodes.banned, ["banned", "banned"]],
  [goodbyeCodes.bannedAddress, ["banned", "banned address"]]
])
