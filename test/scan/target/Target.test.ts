import { assert, describe, it } from "@effect/vitest"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { bytesToHex } from "@noble/hashes/utils.js"
import { Either, Option } from "effect"
import { devEnr } from "../../../src/devnet/discv5/DevEnr.ts"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import { parseTarget } from "../../../src/scan/target/Target.ts"
import { readTargets, targetsInText } from "../../../src/scan/target/TargetList.ts"

const chain = devnetParameters(1, 2000, 0)
const { peerId, privateKey } = identityOf(1, "somebody")
const record = (tcpPort: number | undefined) =>
  devEnr(chain, privateKey, {
    ports: tcpPort === undefined ? {} : { tcp: tcpPort },
    epoch: 2,
    forkDigest: "0x01020304",
    custodyGroupCount: 7
  }).encodeTxt()
const key = bytesToHex(secp256k1.getPublicKey(privateKey, false)).slice(2)
const enode = (rest: string) => `enode://${key}@${rest}`

const reasonOf = (text: string): string =>
  Either.match(parseTarget(text), { onLeft: ({ reason }) => reason, onRight: () => "it is a target" })

describe("a target", () => {
  it("is the same peer as an ENR, a multiaddr, an enode and a peer id", () => {
    const given = [record(9000), `/ip4/127.0.0.1/tcp/9000/p2p/${peerId}`, enode("127.0.0.1:9000?discport=9001"), peerId]
    const targets = given.map((text) => Either.getOrThrow(parseTarget(` ${text}\n`)))
    assert.deepStrictEqual(
      targets.map(({ address, kind }) => [kind, address.peerId, address.multiaddrs]),
      [
        ["enr", peerId, ["/ip4/127.0.0.1/tcp/9000"]],
        ["multiaddr", peerId, ["/ip4/127.0.0.1/tcp/9000"]],
        ["enode", peerId, ["/ip4/127.0.0.1/tcp/9000"]],
        ["peer_id", peerId, []]
      ]
    )
    assert.deepStrictEqual(
      targets.map(({ given }) => given),
      given
    )
    assert.deepStrictEqual(Option.getOrNull(targets[0]?.address.enrCustodyGroupCount ?? Option.none()), 7)
  })

  it("is what was pasted with quotes, as an item of a list, or with a line break in it", () => {
    const enr = record(9000)
    const texts = [`"${enr}"`, `'${enr}',`, `- ${enr}`, `${enr.slice(0, 40)}\n  ${enr.slice(40)}`]
    for (const text of texts) assert.strictEqual(Either.getOrThrow(parseTarget(text)).given, enr)
    assert.strictEqual(Either.getOrThrow(parseTarget(`"${peerId}"`)).address.peerId, peerId)
  })

  it("is an ENR without an address too: whom to find is known, and how many groups it claims", () => {
    const { address, record: read } = Either.getOrThrow(parseTarget(record(undefined)))
    assert.deepStrictEqual(
      [address.peerId, address.multiaddrs, address.enrCustodyGroupCount, Option.isSome(read)],
      [peerId, [], Option.some(7), true]
    )
  })

  it("is an enode at an IPv6 address or a name", () => {
    const placesOf = (rest: string) => Either.getOrThrow(parseTarget(enode(rest))).address.multiaddrs
    assert.deepStrictEqual(placesOf("[2001:db8::1]:9000"), ["/ip6/2001:db8::1/tcp/9000"])
    assert.deepStrictEqual(placesOf("node.example.org:9000"), ["/dns/node.example.org/tcp/9000"])
  })

  it("is nothing else, and says which text is wrong and what is allowed", () => {
    assert.match(reasonOf("hello"), /^hello: this names no peer; allowed is an ENR \(enr:…\), a multiaddr/)
    assert.match(reasonOf(""), /^an empty text: this names no peer/)
    assert.match(reasonOf("enr:-abc"), /^enr:-abc: not a valid ENR/)
    assert.match(reasonOf("/ip4/127.0.0.1/tcp/9000"), /^\/ip4\/127\.0\.0\.1\/tcp\/9000: .*\/p2p\/<peer id>/)
    assert.match(reasonOf(enode("127.0.0.1:0")), /there is no tcp port 0/)
    assert.match(reasonOf(enode("127.0.0.1")), /it is not enode:\/\/<128 hexadecimal digits>@<host>:<tcp port>/)
    assert.match(reasonOf(enode("1.2.3.444:1")), /is no host/)
    assert.match(reasonOf(`enode://${"ff".repeat(64)}@127.0.0.1:9000`), /its key is no point of secp256k1/)
    assert.match(reasonOf("x".repeat(5000)), /5000 characters long/)
    assert.notInclude(reasonOf("\u001b[31mred"), "\u001b")
  })
})

describe("a list of targets", () => {
  it("has one a line, without comments and empty lines, each with its place", () => {
    const text = `# mine\n\n${peerId}   # the first\r\n  ${enode("127.0.0.1:9000")}  \n`
    assert.deepStrictEqual(targetsInText(text, "nodes.txt"), [
      { text: peerId, place: "nodes.txt:3" },
      { text: enode("127.0.0.1:9000"), place: "nodes.txt:4" }
    ])
  })

  it("is read once for each peer, by what was said of it first", () => {
    const given = [record(9000), peerId, enode("127.0.0.1:1")].map((text) => ({ text, place: "" }))
    const targets = Either.getOrThrow(readTargets(given))
    assert.deepStrictEqual(
      targets.map(({ kind }) => kind),
      ["enr"]
    )
  })

  it("says of everything that is wrong where it is, and is empty for nobody", () => {
    const wrong = readTargets([
      { text: peerId, place: "argument 1" },
      { text: "one", place: "argument 2" },
      { text: "two", place: "nodes.txt:7" }
    ])
    const lines = Either.isLeft(wrong) ? wrong.left : []
    assert.deepStrictEqual(
      lines.map((line) => line.split(": ").slice(0, 2)),
      [
        ["argument 2", "one"],
        ["nodes.txt:7", "two"]
      ]
    )
    assert.isTrue(Either.isLeft(readTargets([])))
    assert.isTrue(Either.isLeft(readTargets(Array.from({ length: 1001 }, () => ({ text: peerId, place: "" })))))
  })
})
