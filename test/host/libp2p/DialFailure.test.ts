import { assert, describe, it } from "@effect/vitest"
import { AbortError, DialError, InvalidPeerIdError, NotStartedError, TimeoutError } from "@libp2p/interface"
import { Cause } from "effect"
import { dialFailure } from "../../../src/host/libp2p/DialFailure.ts"

/** As the transport gives it. */
const system = (code: string): Error =>
  Object.assign(new Error(`connection error 192.0.2.1:9000: connect ${code} 192.0.2.1:9000`), { code })

/** libp2p's errors that it does not export, by their names. */
const named = (name: string, message = "of libp2p"): Error => Object.assign(new Error(message), { name })

const cases: ReadonlyArray<readonly [what: string, cause: unknown, expected: string]> = [
  // The peer, or what is at its address.
  ["a closed port", system("ECONNREFUSED"), "PeerDisconnected"],
  ["a reset", system("ECONNRESET"), "PeerDisconnected"],
  ["a name that is none", system("ENOTFOUND"), "PeerDisconnected"],
  ["a hang-up in the handshake", named("EncryptionFailedError", "Unexpected EOF"), "PeerDisconnected"],
  ["no common muxer", named("MuxerUnavailableError"), "PeerDisconnected"],
  ["a hang-up while it opens", named("ConnectionClosedError"), "PeerDisconnected"],
  ["someone else", named("UnexpectedPeerError"), "PeerDisconnected"],
  ["25 dead addresses", new DialError("Peer had more than maxPeerAddrsToDial"), "PeerDisconnected"],
  ["our limit", new Cause.TimeoutException(), "ProbeTimeout"],
  ["libp2p's limit for an address", new AbortError(), "ProbeTimeout"],
  ["its limit in the handshake", named("EncryptionFailedError", "The operation was aborted"), "ProbeTimeout"],
  ["its limit for a dial", new TimeoutError("signal timed out"), "ProbeTimeout"],
  ["the system's limit", system("ETIMEDOUT"), "ProbeTimeout"],
  ["silence over QUIC", new TimeoutError("no answer over QUIC: timeout after 3000 ms"), "ProbeTimeout"],
  ["silence in a handshake of QUIC", named("Error", "timed out"), "ProbeTimeout"],
  ["a hang-up of QUIC", named("Error", "aborted by peer: the cryptographic handshake failed"), "PeerDisconnected"],
  ["someone else over QUIC", named("Error", "Dialed peer 16Uiu2a but connected to 16Uiu2b"), "PeerDisconnected"],
  // Ours.
  ["no socket for IPv6", named("Error", "No QUIC client available for IPv6"), "NotDialled"],
  ["a full queue", new DialError("Dial queue is full"), "NotDialled"],
  ["a full queue of another kind", named("QueueFullError"), "NotDialled"],
  ["ourselves", new DialError("Tried to dial self"), "NotDialled"],
  ["ourselves, found out later", new InvalidPeerIdError("Can not dial self"), "NotDialled"],
  ["a node that is not started", new NotStartedError("Not started"), "NotDialled"],
  ["our gater", named("DialDeniedError"), "NotDialled"],
  ["our gater, later", named("ConnectionInterceptedError"), "NotDialled"],
  ["a transport that we lack", named("NoValidAddressesError"), "NotDialled"],
  ["a name server that fails", named("DNSQueryFailedError"), "NotDialled"],
  ...["EMFILE", "ENFILE", "ENOBUFS", "EADDRNOTAVAIL", "ENETUNREACH", "EHOSTUNREACH", "EACCES", "EAI_AGAIN"].map(
    (code) => [code, system(code), "NotDialled"] as const
  ),
  // Of several addresses.
  ["silence everywhere", new AggregateError([new AbortError(), system("ETIMEDOUT")]), "ProbeTimeout"],
  ["silence and a closed port", new AggregateError([new AbortError(), system("ECONNREFUSED")]), "PeerDisconnected"],
  ["no way to one of them", new AggregateError([system("ENETUNREACH"), system("ECONNREFUSED")]), "PeerDisconnected"],
  [
    "no way to one, silence at the other",
    new AggregateError([system("ENETUNREACH"), new AbortError()]),
    "ProbeTimeout"
  ],
  ["no way to any of them", new AggregateError([system("ENETUNREACH"), system("EHOSTUNREACH")]), "NotDialled"],
  [
    "no way to any that a name stands for",
    new AggregateError([new AggregateError([system("ENETUNREACH"), system("ENETUNREACH")])]),
    "NotDialled"
  ]
]

describe("the failure of a dial", () => {
  it.each(cases)("%s", (_, cause, expected) => {
    assert.strictEqual(dialFailure(cause, 1234.5)._tag, expected)
  })

  it("says what was tried, and what came of it", () => {
    const mixed = new AggregateError([system("ENETUNREACH"), system("ECONNREFUSED"), named("UnexpectedPeerError")])
    const failure = dialFailure(mixed, 1)
    assert.strictEqual(
      failure._tag === "PeerDisconnected" ? failure.detail : "",
      "connection error 192.0.2.1:9000: connect ECONNREFUSED 192.0.2.1:9000; another peer answers at this address"
    )
    assert.include(dialFailure(named("Error", "Dialed peer 16Uiu2a but connected to 16Uiu2b"), 1), {
      detail: "another peer answers at this address"
    })
    assert.deepInclude(dialFailure(new AbortError(), 1234.5), { stage: "dial", afterMs: 1235 })
    assert.include(String(dialFailure(new DialError("Dial queue is full"), 1)), "not dialled: Dial queue is full")
  })
})
