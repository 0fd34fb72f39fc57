import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, Option } from "effect"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { beaconPeers, readListed } from "../../src/discovery/sources/BeaconPeers.ts"
import { eventually } from "../Eventually.ts"
import { makeChain } from "../domain/network/Chains.ts"
import { fakeNode, json } from "../host/beacon-api/FakeNode.ts"
import { collected, signedEnr } from "./Nodes.ts"

const chain = makeChain({})
const enr = signedEnr("a", chain, Date.now(), { entries: { cgc: Uint8Array.of(8) }, seq: 7n })
const { peerId } = Effect.runSync(decodeNodeRecord(enr))
const other = Effect.runSync(decodeNodeRecord(signedEnr("b", chain, Date.now()))).peerId

const listed = (parts: Record<string, unknown>) =>
  Option.map(
    readListed({
      peer_id: peerId,
      enr: null,
      last_seen_p2p_address: "/ip4/203.0.113.7/tcp/13000",
      state: "connected",
      direction: "outbound",
      ...parts
    }),
    ({ address, seq }) => [...address.multiaddrs, seq]
  )

const none = Option.none()

describe("a peer of the beacon node", () => {
  it("is read as real clients write it", () => {
    const seen = Option.some(["/ip4/203.0.113.7/tcp/13000", undefined])
    assert.deepStrictEqual(listed({}), seen)
    assert.deepStrictEqual(listed({ enr: "" }), seen)
    assert.deepStrictEqual(listed({ enr: undefined }), seen)
    assert.deepStrictEqual(listed({ enr: "enr:-junk" }), seen)
    assert.deepStrictEqual(listed({ last_seen_p2p_address: `/ip4/203.0.113.7/tcp/13000/p2p/${peerId}` }), seen)
    assert.deepStrictEqual(listed({ state: "CONNECTED", direction: "OUTBOUND", agent: "Lighthouse", score: 7 }), seen)
    assert.deepStrictEqual(listed({ state: undefined, direction: undefined }), seen)
  })

  it("has the addresses of its ENR too, if that is its own", () => {
    const near = { last_seen_p2p_address: "/ip4/127.0.0.1/tcp/13000" }
    assert.deepStrictEqual(
      listed({ ...near, enr }),
      Option.some(["/ip4/127.0.0.1/tcp/13000", "/ip4/127.0.0.1/tcp/9000", 7n])
    )
    assert.deepStrictEqual(listed({ enr, last_seen_p2p_address: "" }), Option.some(["/ip4/127.0.0.1/tcp/9000", 7n]))
    assert.deepStrictEqual(listed({ enr, peer_id: other }), Option.some(["/ip4/203.0.113.7/tcp/13000", undefined]))
    assert.deepStrictEqual(
      Option.flatMap(readListed({ peer_id: peerId, enr }), ({ address }) => address.enrCustodyGroupCount),
      Option.some(8)
    )
  })

  it("is not dialled where it only came from", () => {
    assert.deepStrictEqual(listed({ direction: "inbound" }), none)
    const near = { last_seen_p2p_address: "/ip4/127.0.0.1/tcp/40000" }
    assert.deepStrictEqual(listed({ ...near, direction: "Inbound", enr }), Option.some(["/ip4/127.0.0.1/tcp/9000", 7n]))
  })

  it("that the node sees in the Internet is not looked for on this machine, whatever its ENR says", () => {
    assert.deepStrictEqual(listed({ enr }), Option.some(["/ip4/203.0.113.7/tcp/13000", 7n]))
    assert.deepStrictEqual(listed({ direction: "inbound", enr }), none)
  })

  it("is passed over when it is not connected, or cannot be dialled", () => {
    assert.deepStrictEqual(listed({ state: "disconnected" }), none)
    assert.deepStrictEqual(listed({ state: "connecting" }), none)
    assert.deepStrictEqual(listed({ last_seen_p2p_address: null }), none)
    assert.deepStrictEqual(listed({ last_seen_p2p_address: "/ip4/203.0.113.7" }), none)
    assert.deepStrictEqual(listed({ last_seen_p2p_address: `/ip4/203.0.113.7/tcp/13000/p2p/${other}` }), none)
    assert.deepStrictEqual(listed({ peer_id: "nobody" }), none)
    for (const junk of [null, 7, "x", [], {}]) assert.deepStrictEqual(readListed(junk), none)
  })
})

describe("the beacon node's peers", () => {
  const asked = (url: string) =>
    Effect.gen(function* () {
      const http = yield* Layer.build(NodeHttpClient.layerUndici)
      const stream = beaconPeers({ url, interval: Duration.millis(20), timeout: Duration.seconds(2) })
      return yield* collected(yield* Effect.provide(stream, http))
    })

  it.scopedLive("are asked for again and again, through trouble that is told once", () =>
    Effect.gen(function* () {
      let answer: unknown = { data: [{ peer_id: peerId, enr, state: "connected" }, "junk"], meta: { count: 2 } }
      let status = 200
      const node = yield* fakeNode({
        handle: (_, __, response) => {
          json(response, answer, status)
          return true
        }
      })
      const logged: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ message }) => void logged.push(String(message)))
      )
      const found = yield* Effect.provide(asked(node.url), logger)
      yield* eventually(Effect.map(found, (all) => all.length >= 2))
      const [first] = yield* found
      assert.deepStrictEqual([first?.source, first?.seq, first?.address.peerId], ["beacon_node", 7n, peerId])
      assert.isTrue(node.asked.every((path) => path === "/eth/v1/node/peers?state=connected"))

      status = 404
      answer = { code: 404, message: "no such route" }
      yield* eventually(() => logged.length > 0)
      const before = node.asked.length
      yield* eventually(() => node.asked.length > before + 3)
      assert.strictEqual(logged.filter((line) => line.includes("does not say its peers")).length, 1)

      status = 200
      answer = { data: [{ peer_id: other, last_seen_p2p_address: "/ip4/127.0.0.1/tcp/9" }] }
      yield* eventually(Effect.map(found, (all) => all.some(({ address }) => address.peerId === other)))
      assert.include(logged, "the beacon node says its peers again")
      answer = { data: "none" }
      yield* eventually(() => logged.filter((line) => line.includes("does not say its peers")).length === 2)
    })
  )

  it.scopedLive("are not asked for while the node is of another network", () =>
    Effect.gen(function* () {
      const node = yield* fakeNode({
        handle: (_, __, response) => {
          json(response, { data: [{ peer_id: peerId, enr, state: "connected" }] })
          return true
        }
      })
      let isOurs = false
      let looks = 0
      const http = yield* Layer.build(NodeHttpClient.layerUndici)
      const stream = beaconPeers({
        url: node.url,
        interval: Duration.millis(20),
        isOurs: Effect.sync(() => {
          looks++
          return isOurs
        })
      })
      const found = yield* collected(yield* Effect.provide(stream, http))
      yield* eventually(() => looks > 3)
      assert.deepStrictEqual([...node.asked], [])
      isOurs = true
      yield* eventually(Effect.map(found, (all) => all.length > 0))
    })
  )

  it.scopedLive("are none of a node that is not there", () =>
    Effect.gen(function* () {
      const found = yield* asked("http://127.0.0.1:9")
      yield* Effect.sleep("100 millis")
      assert.deepStrictEqual(yield* found, [])
    })
  )
})
