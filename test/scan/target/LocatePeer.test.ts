import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Option } from "effect"
import { devEnr } from "../../../src/devnet/discv5/DevEnr.ts"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import { type BookEntry, newEntry } from "../../../src/discovery/book/BookEntry.ts"
import * as MemoryReports from "../../../src/history/report/MemoryReports.ts"
import { decodeNodeRecord } from "../../../src/domain/peer/NodeRecord.ts"
import { ReportError, Reports } from "../../../src/history/report/Reports.ts"
import { History } from "../../../src/history/store/History.ts"
import type { ListedPeer } from "../../../src/host/beacon-api/ListedPeer.ts"
import { Locator } from "../../../src/scan/target/Locator.ts"
import * as LocatePeer from "../../../src/scan/target/LocatePeer.ts"

const chain = devnetParameters(1, 1000, 0)
const recordOf = (owner: string, tcpPort: number) =>
  devEnr(chain, identityOf(1, owner).privateKey, {
    ports: { tcp: tcpPort },
    epoch: 2,
    forkDigest: "0x01020304",
    custodyGroupCount: 4
  }).encodeTxt()
const { peerId } = identityOf(1, "somebody")
const enr = recordOf("somebody", 9000)
const record = Either.getRight(decodeNodeRecord(enr))

const find = (
  listed: Effect.Effect<Option.Option<ListedPeer>, string>,
  reports: Layer.Layer<Reports> = Reports.layerNone,
  remembered: Effect.Effect<Option.Option<BookEntry>, string> = Effect.succeedNone
) =>
  Effect.flatMap(Locator, (locator) => locator.find(peerId)).pipe(
    Effect.provide(
      LocatePeer.layer({ listed: () => listed, remembered: () => remembered }).pipe(Layer.provide(reports))
    )
  )

const listing = (parts: Partial<ListedPeer>) =>
  Effect.succeedSome({ enr: null, last_seen_p2p_address: null, direction: null, ...parts })

describe("where a peer is looked up", () => {
  it.effect("the beacon node says where it saw it, and its ENR", () =>
    Effect.gen(function* () {
      const seen = "/ip4/127.0.0.1/tcp/51234"
      const outbound = yield* find(
        listing({ enr, last_seen_p2p_address: `${seen}/p2p/${peerId}`, direction: "outbound" })
      )
      assert.deepStrictEqual(outbound, [{ multiaddrs: [seen, "/ip4/127.0.0.1/tcp/9000"], record, from: "beacon node" }])
      // The port of one that came by itself is seldom one that it listens on.
      const [inbound] = yield* find(listing({ enr, last_seen_p2p_address: seen, direction: "inbound" }))
      assert.deepStrictEqual(inbound?.multiaddrs, ["/ip4/127.0.0.1/tcp/9000", seen])
      const [shouted] = yield* find(listing({ enr, last_seen_p2p_address: seen, direction: "INBOUND" }))
      assert.deepStrictEqual(shouted?.multiaddrs, ["/ip4/127.0.0.1/tcp/9000", seen])
    })
  )

  it.effect("nothing is believed of another peer, or of what cannot be read", () =>
    Effect.gen(function* () {
      const other = identityOf(1, "another").peerId
      const [found] = yield* find(
        listing({ enr: recordOf("another", 1), last_seen_p2p_address: `/ip4/127.0.0.1/tcp/1/p2p/${other}` })
      )
      assert.deepStrictEqual(found, { multiaddrs: [], record: Option.none(), from: "beacon node" })
      const [junk] = yield* find(listing({ enr: "junk", last_seen_p2p_address: "nowhere" }))
      assert.deepStrictEqual(junk?.multiaddrs, [])
    })
  )

  it.effect("the address book has its addresses and its ENR, and the history where it was met", () =>
    Effect.gen(function* () {
      const heard = newEntry(
        {
          address: { peerId, multiaddrs: ["/ip4/127.0.0.1/tcp/9000"], enrCustodyGroupCount: Option.none() },
          source: "discv5",
          enr
        },
        0
      )
      const seen = { agent: Option.none(), address: Option.some("/ip4/127.0.0.1/tcp/51234"), at: 0 }
      const met = Layer.effectDiscard(Effect.flatMap(History, ({ recordPeer }) => recordPeer(peerId, seen))).pipe(
        Layer.provideMerge(MemoryReports.layer)
      )
      assert.deepStrictEqual(yield* find(Effect.succeedNone, met, Effect.succeedSome(heard)), [
        { multiaddrs: ["/ip4/127.0.0.1/tcp/9000"], record, from: "address book" },
        { multiaddrs: ["/ip4/127.0.0.1/tcp/51234"], record: Option.none(), from: "history" }
      ])
    })
  )

  it.effect("whoever fails knows nothing", () =>
    Effect.gen(function* () {
      const reports = Layer.mock(Reports, {
        peer: () => new ReportError({ fault: "unreadable", reason: "gone" })
      })
      assert.deepStrictEqual(yield* find(Effect.fail("away"), reports, Effect.fail("away")), [])
      assert.deepStrictEqual(yield* find(Effect.succeedNone), [])
    })
  )
})
