import { Cause } from "effect"
import { PeerDisconnected, ProbeTimeout } from "../../domain/probe/Outcome.ts"
import { codeOf, oneLine } from "../../domain/Text.ts"
import { type DialError, NotDialled } from "../Host.ts"

/**
 * Whose failure a dial was that failed of `cause` after so many milliseconds. It is the peer's only where the peer
 * itself, or what stands at its address, can have caused it: it refused, hung up, said nothing, is someone else, speaks
 * another language. Whatever kept us from trying, and what routers on the way say, is ours. Of several addresses, those
 * that were really tried decide; without one, the peer was not dialled.
 */
export const dialFailure = (cause: unknown, afterMs: number): DialError => {
  const causes = flatten(cause)
  const tried = causes.filter((one) => !isOurs(one))
  if (tried.length === 0) return notDialled(causes)
  return tried.every(isTimeout)
    ? new ProbeTimeout({ stage: "dial", afterMs: Math.round(afterMs) })
    : new PeerDisconnected({ stage: "dial", detail: sentence(tried) })
}

/** The peer was not dialled, for these reasons. */
export const notDialled = (causes: ReadonlyArray<unknown>): NotDialled => new NotDialled({ detail: sentence(causes) })

/** libp2p gathers the errors of all addresses, Node.js those of all that a name stands for. */
const flatten = (cause: unknown): ReadonlyArray<unknown> =>
  cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors.flatMap(flatten) : [cause]

/** What libp2p throws (connection manager, dial queue, transports, upgrader) before or instead of trying an address. */
const ourNames: ReadonlySet<string> = new Set([
  // The node is not started, or not any more.
  "NotStartedError",
  // We would dial ourselves.
  "InvalidPeerIdError",
  // A connection gater of ours.
  "DialDeniedError",
  "ConnectionInterceptedError",
  "ConnectionDeniedError",
  // Queues of libp2p.
  "QueueFullError",
  // No address, none of a kind that this node can dial, or one that cannot be read or looked up.
  "NoValidAddressesError",
  "TransportUnavailableError",
  "InvalidMultiaddrError",
  "InvalidParametersError",
  "RecursionLimitError",
  "DNSQueryFailedError"
])

/** libp2p's `DialError` has several meanings; after its maximum of addresses (25) a peer was tried. */
const ourDialErrors = /queue is full|dial self/i

const ourCodes: ReadonlySet<string> = new Set([
  // Used up: descriptors, memory, buffers, ports.
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "ENOBUFS",
  "EAGAIN",
  "EADDRNOTAVAIL",
  "EADDRINUSE",
  // No way there from here (IPv6 without IPv6), or from a router on: the peer itself never says so.
  "ENETUNREACH",
  "ENETDOWN",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "EAFNOSUPPORT",
  "EPROTONOSUPPORT",
  "EINVAL",
  // A firewall.
  "EACCES",
  "EPERM",
  // A name server that does not answer. That there is no such name (ENOTFOUND) is about the address.
  "EAI_AGAIN",
  "EAI_FAIL",
  "EAI_MEMORY",
  "EAI_SYSTEM"
])

/** What the module for QUIC says of itself: it has no socket for that family, or is being stopped. */
const ourQuic = /no quic client|endpoint stopping|all cids exhausted/i

const isOurs = (cause: unknown): boolean =>
  cause instanceof Error &&
  (ourQuic.test(cause.message) ||
    ourNames.has(cause.name) ||
    ourCodes.has(codeOf(cause) ?? "") ||
    (cause.name === "DialError" && ourDialErrors.test(cause.message)))

/** libp2p's own limit for one address comes as an error of any kind. */
const isTimeout = (cause: unknown): boolean =>
  Cause.isTimeoutException(cause) ||
  codeOf(cause) === "ETIMEDOUT" ||
  (cause instanceof Error && /timeout|timed out|operation was aborted/i.test(`${cause.name} ${cause.message}`))

const sentence = (causes: ReadonlyArray<unknown>): string => oneLine(causes.map(detail).join("; ")).slice(0, 300)

const detail = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  const isOther = cause.name === "UnexpectedPeerError" || otherPeer.test(cause.message)
  return isOther ? "another peer answers at this address" : cause.message || (codeOf(cause) ?? cause.name)
}

/** As TCP says it, and QUIC. */
const otherPeer = /does not match expected remote|but connected to/
