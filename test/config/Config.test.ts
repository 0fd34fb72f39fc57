import { assert, describe, it } from "@effect/vitest"
import { Duration, Either, Option } from "effect"
import { defaultConfig, identityFileOf } from "../../src/config/Config.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { blockFilterRange } from "../../src/config/BlockFilter.ts"
import { type FilteredNode, nodeFilterAllows } from "../../src/config/NodeFilter.ts"
import { enr, enrNodeId, enrPeerId, peerId } from "./fixtures.ts"

describe("makeConfig", () => {
  it("fills what is absent with the documented defaults", () => {
    assert.deepStrictEqual(makeConfig({}), Either.right(defaultConfig))
    assert.deepInclude(defaultConfig, {
      trustBeaconRoots: false,
      databasePath: "dasmon.db",
      retention: Duration.days(18),
      httpAddr: { host: "127.0.0.1", port: 9090 },
      workers: 4,
      testInterval: Duration.seconds(10),
      peerRefreshInterval: Duration.seconds(10),
      reconnectionGrace: Duration.minutes(5),
      sampling: {
        perSlot: true,
        samplesPerSlot: 8,
        maxColumns: 16,
        maxSlots: 8,
        dailyBytes: 256 * 2 ** 20,
        slotBias: "uniform"
      },
      bandwidthLimit: 4 * 2 ** 20,
      samplingStrategy: {
        historyWindow: Duration.days(18),
        preferUntested: true,
        retryFailures: true,
        retryAfter: Duration.hours(24)
      },
      blockFilter: {},
      nodeFilter: { include: [], exclude: [] },
      backfill: { mode: "background" },
      metrics: { enabled: false, port: 9091 },
      peers: []
    })
  })

  it("reads each peer once and keeps what its ENR says", () => {
    const [peer] = Either.getOrThrow(makeConfig({ peers: [` ${enr} `] })).peers
    assert.strictEqual(peer?.peerId, enrPeerId)
    assert.deepStrictEqual(peer?.multiaddrs, ["/ip4/159.223.113.119/udp/9001/quic-v1", "/ip4/159.223.113.119/tcp/9000"])
    assert.deepInclude(peer?.enrCustodyGroupCount, { _tag: "Some", value: 128 })
    assert.strictEqual(peer?.text, enr)
  })

  it("names mistakes by the keys of the code, all of them", () => {
    const untyped: object = { samplingStrategy: { retryAfter: "1 day" }, max_columns: 1, sampling: { maxColums: 1 } }
    const error = Either.getOrThrow(Either.flip(makeConfig({ workers: 0, ...untyped })))
    assert.deepStrictEqual(error.message.split("\n"), [
      "max_columns: unknown key (did you mean sampling.maxColumns?)",
      "sampling.maxColums: unknown key (did you mean maxColumns?)",
      "workers: expected a whole number from 1 to 256, got 0",
      "samplingStrategy.retryAfter: expected a duration from 0s to 365d like 10s, 5m, 1h30m or 18d, " +
        'got "1 day" (units are ms, s, m, h and d, without spaces)'
    ])
  })

  it("puts the key of the node next to the database unless told otherwise", () => {
    assert.strictEqual(identityFileOf(Either.getOrThrow(makeConfig({ databasePath: "/a/b.db" }))), "/a/b.db.key")
    assert.strictEqual(identityFileOf({ databasePath: "/a/b.db", identityFile: "/c" }), "/c")
  })
})

describe("blockFilterRange", () => {
  it("counts numbers up to 0 from the head and stays above genesis", () => {
    assert.deepStrictEqual(blockFilterRange({}, 100), { start: 0, end: 100 })
    assert.deepStrictEqual(blockFilterRange({ startSlot: -8192, endSlot: 0 }, 10_000), { start: 1808, end: 10_000 })
    assert.deepStrictEqual(blockFilterRange({ startSlot: -8192, endSlot: -10 }, 100), { start: 0, end: 90 })
    assert.deepStrictEqual(blockFilterRange({ startSlot: 50, endSlot: 70 }, 100), { start: 50, end: 70 })
  })
})

describe("nodeFilterAllows", () => {
  const lighthouse: FilteredNode = {
    peerId: enrPeerId,
    nodeId: Option.some(enrNodeId),
    agent: Option.some("Lighthouse/v7.1.0/x86_64-linux")
  }
  const unknown: FilteredNode = { peerId, nodeId: Option.none(), agent: Option.none() }
  const allows = (include: ReadonlyArray<string>, exclude: ReadonlyArray<string>, node = lighthouse) =>
    nodeFilterAllows(Either.getOrThrow(makeConfig({ nodeFilter: { include, exclude } })).nodeFilter, node)

  it("lets through everything, or what is included, without what is excluded", () => {
    assert.isTrue(allows([], []))
    assert.isTrue(allows([enr], []))
    assert.isTrue(allows(["lightHOUSE/v7"], []))
    assert.isTrue(allows([enrNodeId.toUpperCase().replace("0X", "")], []))
    assert.isTrue(allows([peerId, `/ip4/1.2.3.4/udp/9/quic-v1/p2p/${enrPeerId}`], []))
    assert.isFalse(allows([peerId], []))
    assert.isFalse(allows(["teku"], []))
    assert.isFalse(allows([], ["lighthouse"]))
    assert.isFalse(allows([enr], [enrPeerId]))
  })

  it("does not take a peer for another because little is known of it", () => {
    assert.isTrue(allows([], ["lighthouse", enrNodeId], unknown))
    assert.isFalse(allows(["lighthouse", enrNodeId], [], unknown))
    assert.isTrue(allows([peerId], [], unknown))
  })
})
