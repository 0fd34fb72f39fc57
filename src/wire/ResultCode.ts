import { ColumnsUnavailable, PeerRefused, type RequestError } from "../domain/probe/Outcome.ts"

/** The first byte of a response chunk (phase0/p2p-interface.md, "Responding side"). */
export const resultCodes = {
  success: 0,
  invalidRequest: 1,
  serverError: 2,
  resourceUnavailable: 3,
  /** Not in the specification: Lighthouse and Lodestar. */
  rateLimited: 139
} as const

/** What an error chunk comes to. `message` is made printable already. */
export const refusalOf = (code: number, message: string): RequestError => {
  const detail = `code ${code}${message === "" ? "" : `: ${message}`}`
  if (code === resultCodes.resourceUnavailable) return new ColumnsUnavailable({ detail })
  if (code === resultCodes.rateLimited) return new PeerRefused({ reason: "rate_limited", detail })
  if (code !== resultCodes.invalidRequest) return new PeerRefused({ reason: "server_error", detail })
  // Prysm says "rate limited", Teku "Peer has been rate limited", both with code 1.
  return new PeerRefused({ reason: /rate[\s-]*limit/i.test(message) ? "rate_limited" : "invalid_request", detail })
}
