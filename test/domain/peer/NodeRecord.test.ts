import { assert, describe, it } from "@effect/vitest"
import { SignableENR } from "@chainsafe/enr"
import { Either, FastCheck, Option } from "effect"
import { fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { custodyGroups } from "../../../src/domain/column/Custody.ts"
import { nodeIdOfPeerId, nodeIdOfPublicKey } from "../../../src/domain/peer/NodeId.ts"
import { decodeNodeRecord } from "../../../src/domain/peer/NodeRecord.ts"
import { parsePeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import { readVector } from "../network/Chains.ts"

const cases: ReadonlyArray<{
  readonly name: string
  readonly enr: string
  readonly seq: number
  readonly node_id: string
  readonly peer_id: string
  readonly secp256k1: string
  readonly ip: string
  readonly tcp: number
  readonly quic?: number
  readonly eth2: { readonly fork_digest: string }
  readonly nfd?: string
  readonly client?: ReadonlyArray<string>
  readonly cgc: number
  readonly custody_groups: ReadonlyArray<number>
}> = readVector("enr/enrs.json").cases

const [first] = cases

/** A signed record with these pairs. */
const record = (pairs: Record<string, Uint8Array>): string =>
  SignableENR.createV4(new Uint8Array(32).fill(9), pairs).encodeTxt()

describe("node records", () => {
  it.each(cases)("$name", (expected) => {
    const node = Either.getOrThrow(decodeNodeRecord(expected.enr))
    assert.strictEqual(node.seq, BigInt(expected.seq))
    assert.strictEqual(toHex(node.nodeId), expected.node_id)
    assert.strictEqual(node.peerId, expected.peer_id)
    assert.deepStrictEqual(node.custodyGroupCount, Option.some(expected.cgc))
    assert.deepStrictEqual(node.forkDigest, Option.some(expected.eth2.fork_digest))
    assert.deepStrictEqual(node.nextForkDigest, Option.fromNullable(expected.nfd))
    assert.deepStrictEqual(node.client, Option.fromNullable(expected.client?.join("/")))
    const overQuic = expected.quic === undefined ? [] : [`/ip4/${expected.ip}/udp/${expected.quic}/quic-v1`]
    assert.deepStrictEqual(node.multiaddrs, [...overQuic, `/ip4/${expected.ip}/tcp/${expected.tcp}`])
    assert.deepStrictEqual(custodyGroups(node.nodeId, expected.cgc), expected.custody_groups)

    assert.strictEqual(toHex(Either.getOrThrow(nodeIdOfPeerId(expected.peer_id))), expected.node_id)
    assert.strictEqual(toHex(nodeIdOfPublicKey(fromHex(expected.secp256k1))), expected.node_id)
    assert.deepStrictEqual(Either.getOrThrow(parsePeerAddress(`  ${expected.enr}\n`)), {
      peerId: expected.peer_id,
      multiaddrs: node.multiaddrs,
      enrCustodyGroupCount: Option.some(expected.cgc)
    })
  })

  it("refuses a record that anyone has changed, and junk, without throwing", () => {
    if (first === undefined) return assert.fail()
    const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 4, max: first.enr.length - 2 }),
        FastCheck.integer({ min: 1, max: 63 }),
        (place, by) => {
          const letter = base64[(base64.indexOf(first.enr[place] ?? "") + by) % 64]
          const changed = `${first.enr.slice(0, place)}${letter}${first.enr.slice(place + 1)}`
          assert.isTrue(Either.isLeft(decodeNodeRecord(changed)))
        }
      ),
      { seed: 14, numRuns: 100 }
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.string({ maxLength: 400 }), (text) => {
        assert.isTrue(Either.isLeft(decodeNodeRecord(`enr:${text}`)))
        assert.isTrue(Either.isLeft(decodeNodeRecord(text)))
      }),
      { seed: 15 }
    )
  })

  it.each([
    ["ip6 and tcp alone", ["ip6", "tcp"], ["/ip6/2001:db8::1/tcp/9000"]],
    ["one port for both addresses", ["ip", "ip6", "tcp"], ["/ip4/10.0.0.1/tcp/9000", "/ip6/2001:db8::1/tcp/9000"]],
    ["a port each", ["ip", "ip6", "tcp", "tcp6"], ["/ip4/10.0.0.1/tcp/9000", "/ip6/2001:db8::1/tcp/9001"]],
    ["a port for IPv6 alone", ["ip", "ip6", "tcp6"], ["/ip6/2001:db8::1/tcp/9001"]],
    ["no port for TCP", ["ip", "ip6"], []],
    ["QUIC alone", ["ip", "quic"], ["/ip4/10.0.0.1/udp/9002/quic-v1"]],
    ["QUIC for IPv6 alone", ["ip", "ip6", "quic6"], ["/ip6/2001:db8::1/udp/9003/quic-v1"]],
    ["a port of QUIC for IPv4, of which IPv6 has none", ["ip6", "quic"], []],
    [
      "QUIC first",
      ["ip", "ip6", "tcp", "tcp6", "quic", "quic6"],
      [
        "/ip4/10.0.0.1/udp/9002/quic-v1",
        "/ip6/2001:db8::1/udp/9003/quic-v1",
        "/ip4/10.0.0.1/tcp/9000",
        "/ip6/2001:db8::1/tcp/9001"
      ]
    ]
  ] as const)("has every address that can be dialled: %s", (_, keys, multiaddrs) => {
    const all = {
      ip: Uint8Array.of(10, 0, 0, 1),
      ip6: fromHex("0x20010db8000000000000000000000001"),
      tcp: Uint8Array.of(0x23, 0x28),
      tcp6: Uint8Array.of(0x23, 0x29),
      quic: Uint8Array.of(0x23, 0x2a),
      quic6: Uint8Array.of(0x23, 0x2b)
    }
    const enr = record(Object.fromEntries(keys.map((key) => [key, all[key]])))
    assert.deepStrictEqual(Either.getOrThrow(decodeNodeRecord(enr)).multiaddrs, multiaddrs)
  })

  it.each([
    ["unspecified", [0, 0, 0, 0]],
    ["multicast", [224, 0, 0, 1]],
    ["broadcast", [255, 255, 255, 255]]
  ])("has no address at which nobody can be: %s", (_, ip) => {
    const enr = record({ ip: Uint8Array.from(ip), tcp: Uint8Array.of(0x23, 0x28), quic: Uint8Array.of(0x23, 0x2a) })
    const { multiaddrs, scopes } = Either.getOrThrow(decodeNodeRecord(enr))
    assert.deepStrictEqual([multiaddrs, scopes], [[], ["nowhere"]])
  })

  it("reads what other implementations write: short ports, odd values, several addresses", () => {
    const node = Either.getOrThrow(
      decodeNodeRecord(
        record({
          ip: Uint8Array.of(10, 0, 0, 1),
          tcp: Uint8Array.of(80),
          ip6: fromHex("0x20010db8000000000000000000000001"),
          tcp6: Uint8Array.of(0x23, 0x28),
          cgc: new Uint8Array(0),
          eth2: new Uint8Array(15),
          nfd: new Uint8Array(5),
          client: Buffer.from("évil\u0007\nname")
        })
      )
    )
    assert.deepStrictEqual(node.multiaddrs, ["/ip4/10.0.0.1/tcp/80", "/ip6/2001:db8::1/tcp/9000"])
    assert.deepStrictEqual(node.custodyGroupCount, Option.some(0))
    assert.deepStrictEqual([node.forkDigest, node.nextForkDigest], [Option.none(), Option.none()])
    assert.deepStrictEqual(node.client, Option.some("vil name"))

    const odd = record({ ip: Uint8Array.of(10, 0, 1), tcp: new Uint8Array(0), cgc: new Uint8Array(7).fill(1) })
    const reading = Either.getOrThrow(decodeNodeRecord(odd))
    assert.deepStrictEqual([reading.multiaddrs, reading.custodyGroupCount], [[], Option.none()])
  })
})

describe("nodeIdOfPeerId", () => {
  it.each([
    ["an RSA peer", "QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC", /does not hold the public key/],
    ["an Ed25519 peer", "12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5", /Ed25519, not secp256k1/],
    ["no peer id", "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7", /./]
  ] as const)("has none for %s", (_, peerId, reason) => {
    assert.match(Either.getOrThrow(Either.flip(nodeIdOfPeerId(peerId))).message, reason)
  })
})
