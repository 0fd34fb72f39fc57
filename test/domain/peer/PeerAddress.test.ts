import { assert, describe, it } from "@effect/vitest"
import { SignableENR } from "@chainsafe/enr"
import { Either, FastCheck, Option } from "effect"
import { parsePeerAddress } from "../../../src/domain/peer/PeerAddress.ts"

const id = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"
const reason = (text: string) => Either.getOrThrow(Either.flip(parsePeerAddress(text))).message

describe("parsePeerAddress", () => {
  it.each([
    `/ip4/159.223.113.119/tcp/9000`,
    `/ip6/2001:db8::1/tcp/9000`,
    `/ip6zone/eth0/ip6/fe80::1/tcp/9000`,
    `/dns4/bootnode.example.org/tcp/9000`,
    `/dns6/bootnode.example.org/tcp/9000`,
    `/dns/bootnode.example.org/tcp/9000`,
    `/ip4/159.223.113.119/udp/9001/quic-v1`,
    `/ip6/2001:db8::1/udp/9001/quic-v1`,
    `/dns4/bootnode.example.org/udp/9001/quic-v1`
  ])("reads %s", (address) => {
    assert.deepStrictEqual(
      parsePeerAddress(`${address}/p2p/${id}`),
      Either.right({ peerId: id, multiaddrs: [address], enrCustodyGroupCount: Option.none() })
    )
  })

  it("reads peers of any key, and the old name of /p2p", () => {
    const rsa = "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC"
    const address = Either.getOrThrow(parsePeerAddress(`/ip4/10.0.0.1/tcp/1/ipfs/${rsa}`))
    assert.deepStrictEqual([address.peerId, address.multiaddrs], [rsa, ["/ip4/10.0.0.1/tcp/1"]])
  })

  it.each([
    ["no peer id", `/ip4/10.0.0.1/tcp/9000`, /p2p\/<peer id>/],
    ["no place", `/p2p/${id}`, /p2p\/<peer id>/],
    ["no port", `/ip4/10.0.0.1/p2p/${id}`, /tcp\/<port>/],
    ["UDP", `/ip4/10.0.0.1/udp/9000/p2p/${id}`, /quic-v1\/p2p/],
    ["an old draft of QUIC", `/ip4/10.0.0.1/udp/9000/quic/p2p/${id}`, /quic-v1\/p2p/],
    ["QUIC over TCP", `/ip4/10.0.0.1/tcp/9000/quic-v1/p2p/${id}`, /quic-v1\/p2p/],
    ["WebTransport", `/ip4/10.0.0.1/udp/9000/quic-v1/webtransport/p2p/${id}`, /quic-v1\/p2p/],
    ["a WebSocket", `/ip4/10.0.0.1/tcp/9000/ws/p2p/${id}`, /tcp\/<port>/],
    ["TLS and a WebSocket", `/dns4/example.org/tcp/443/tls/ws/p2p/${id}`, /tcp\/<port>/],
    ["a relay", `/ip4/10.0.0.1/tcp/9000/p2p/${id}/p2p-circuit/p2p/${id}`, /tcp\/<port>/],
    ["more after the peer id", `/ip4/10.0.0.1/tcp/9000/p2p/${id}/tcp/1`, /tcp\/<port>/],
    ["a list of addresses by name", `/dnsaddr/example.org/tcp/9000/p2p/${id}`, /only ip4/],
    ["a port out of range", `/ip4/10.0.0.1/tcp/70000/p2p/${id}`, /65535/],
    ["a broken peer id", `/ip4/10.0.0.1/tcp/9000/p2p/16Uiu2`, /./],
    ["an address and a port", "10.0.0.1:9000", /neither an ENR nor a multiaddr/],
    ["nothing", "", /neither an ENR nor a multiaddr/],
    ["a broken ENR", "enr:-abc", /not a valid ENR/]
  ] as const)("refuses %s", (_, text, expected) => {
    assert.match(reason(text), expected)
  })

  it("takes an ENR of a node that is on QUIC alone", () => {
    const pairs = { ip: Uint8Array.of(10, 0, 0, 1), quic: Uint8Array.of(0x23, 0x29) }
    const enr = SignableENR.createV4(new Uint8Array(32).fill(9), pairs).encodeTxt()
    assert.deepStrictEqual(Either.getOrThrow(parsePeerAddress(enr)).multiaddrs, ["/ip4/10.0.0.1/udp/9001/quic-v1"])
  })

  it("refuses an ENR of a node that is on discv5 alone", () => {
    const pairs = { ip: Uint8Array.of(10, 0, 0, 1), udp: Uint8Array.of(0x23, 0x28) }
    const enr = SignableENR.createV4(new Uint8Array(32).fill(9), pairs).encodeTxt()
    assert.match(reason(enr), /no ip or ip6 with a quic or tcp port to dial/)
  })

  it("gives any text a typed answer", () => {
    const pieces = FastCheck.constantFrom(
      "ip4",
      "tcp",
      "udp",
      "quic-v1",
      "p2p",
      "ws",
      "dns4",
      "1.2.3.4",
      "9000",
      id,
      "",
      "unix",
      "\0"
    )
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.string(),
          FastCheck.array(pieces, { maxLength: 8 }).map((parts) => `/${parts.join("/")}`)
        ),
        (text) => {
          assert.isTrue(Either.isEither(parsePeerAddress(text)))
        }
      ),
      { seed: 16, numRuns: 500 }
    )
  })
})
