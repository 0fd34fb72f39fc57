import { mkdirSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { privateKeyFromRaw } from "@libp2p/crypto/keys"
import { peerIdFromPrivateKey } from "@libp2p/peer-id"
import { assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { Chunk, Effect, Either, Schema, Stream } from "effect"
import { fromHex, toHex } from "../../src/domain/Bytes.ts"
import { peekAnySidecar } from "../../src/domain/column/Sidecar.ts"
import { PeerDetail } from "../../src/domain/report/PeerDetail.ts"
import { Status } from "../../src/domain/Status.ts"
import { request } from "../../src/wire/Client.ts"
import { decodeStatus, statusRequest } from "../../src/wire/Handshake.ts"
import type { RequestMessage } from "../../src/wire/Message.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { eventually } from "../Eventually.ts"
import { stranger } from "../host/libp2p/Nodes.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"
import { getJson, metricsOf, start } from "./Program.ts"

/** A port of this machine that nobody had a moment ago. */
const freePort = Effect.async<number>((resume) => {
  const server = createServer()
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    server.close(() => resume(Effect.succeed(port)))
  })
})

/** Starts the program with a configuration in a folder of its own, which is there again after a restart. */
const run = (home: string, name: string, lines: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const folder = join(home, name)
    const config = join(folder, "config.yaml")
    yield* Effect.sync(() => {
      mkdirSync(folder, { recursive: true })
      const always = [
        `database_path: ${join(folder, "dasmon.db")}`,
        "http_addr: 127.0.0.1:0",
        "metrics: { enabled: true, port: 0 }"
      ]
      writeFileSync(config, [...always, ...lines].join("\n"))
    })
    const program = yield* start(["run", "--config", config])
    const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
    const metric = yield* metricsOf(program)
    const served = (by: "range" | "root") => metric(`dasmon_custody_served_sidecars_total{by="${by}"}`)
    return { program, served, status: Effect.flatMap(getJson(base, "/status"), Schema.decodeUnknown(Status)), base }
  })

/** Asks a node at this address, each time over a connection of its own. */
const askerOf = (address: string) => {
  const ask = (message: RequestMessage) =>
    Effect.gen(function* () {
      const node = yield* stranger
      const connection = yield* Effect.promise(() => node.dial(multiaddr(address)))
      const { chunks } = yield* request(connection, message)
      return Chunk.toReadonlyArray(yield* Stream.runCollect(chunks))
    }).pipe(Effect.scoped)
  const none = { root: `0x${"00".repeat(32)}`, slot: 0 }
  const own = {
    forkDigest: "0x00000000",
    finalizedRoot: none.root,
    finalizedEpoch: 0,
    headRoot: none.root,
    headSlot: none.slot,
    earliestAvailableSlot: none.slot
  }
  return {
    claim: Effect.map(ask(statusRequest(own)), ([chunk]) => {
      if (chunk === undefined) return assert.fail("no status")
      const { earliestAvailableSlot = Infinity, headSlot } = Either.getOrThrow(decodeStatus(chunk.ssz))
      assert.isAtMost(earliestAvailableSlot, headSlot)
      return { start: earliestAvailableSlot, end: headSlot }
    }),
    /** The sidecars of these slots, as `0x` and hexadecimal digits. */
    columns: (start: number, end: number, columns: ReadonlyArray<number>) =>
      Effect.map(ask(columnsByRange({ startSlot: start, count: end - start + 1, columns })), (chunks) =>
        chunks.map(({ ssz }) => toHex(ssz))
      )
  }
}

const key = "11".repeat(32)
const peerId = peerIdFromPrivateKey(privateKeyFromRaw(Buffer.from(key, "hex"))).toString()

describe("the program that participates", () => {
  it.scopedLive("keeps its columns and serves them so that another one finds it compliant, after a kill too", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork("--peers supernode:2 --seed 9 --slot-duration 1s")
      const port = yield* freePort
      const keyFile = join(home, "participant.key")
      yield* Effect.sync(() => writeFileSync(keyFile, key, { mode: 0o600 }))
      const address = `/ip4/127.0.0.1/tcp/${port}/p2p/${peerId}`
      const participate = run(home, "participant", [
        `beacon_api: ${beaconApi}`,
        `identity_file: ${keyFile}`,
        `listen_addresses: [/ip4/127.0.0.1/tcp/${port}]`,
        "gossip: { mode: participate, custody_group_count: 8 }",
        "peers:",
        ...peers.map(({ enr }) => `  - ${enr}`)
      ])
      const first = yield* participate
      const watcher = yield* run(home, "watcher", [
        `beacon_api: ${beaconApi}`,
        "test_interval: 500ms",
        "peer_refresh_interval: 2s",
        "confirm_after: 1500ms",
        "sampling: { daily_bytes: off }",
        "bandwidth_limit: off",
        "peers:",
        `  - ${address}`
      ])
      const seen = Effect.flatMap(getJson(watcher.base, `/peers/${peerId}`), Schema.decodeUnknown(PeerDetail))
      /** Nothing is suspected for longer than it takes to find out, and nothing was ever odd. */
      const compliant = (least: number) =>
        eventually(
          Effect.map(seen, (peer) => {
            const { invalid, malformed, missing, success, unavailable } = peer.outcomes
            assert.deepStrictEqual([missing, invalid, malformed, unavailable], [0, 0, 0, 0])
            assert.deepStrictEqual(peer.findings, {})
            assert.isAtLeast(success, least)
            assert.strictEqual(peer.verdict, "compliant")
            assert.deepStrictEqual(peer.suspected, [])
            return peer
          }),
          "90 seconds",
          "500 millis"
        )
      const isServed = ({ served }: Pick<typeof first, "served">) =>
        eventually(
          Effect.zipWith(served("range"), served("root"), (range, root) => range >= 48 && root >= 4),
          "60 seconds",
          "500 millis"
        )

      const peer = yield* compliant(64)
      const owed = peer.custody?.columns ?? []
      assert.strictEqual(owed.length, 8)
      yield* isServed(first)
      const { ownCustody } = yield* first.status
      assert.deepInclude(ownCustody, { mode: "participate", custodyGroupCount: 8, state: "keeping", lost: 0 })
      assert.deepStrictEqual(ownCustody.columns, owed)

      const participant = askerOf(address)
      const truth = askerOf(peers[0]?.multiaddr ?? "")
      /** All that it claims, as one who has everything gives it; in each slot of which there are blobs, all columns that it owes. */
      const everythingClaimed = Effect.gen(function* () {
        const { end, start } = yield* participant.claim
        // Behind the head a fork may not have been left yet, and who has everything may have it a moment later.
        const last = Math.min(end - 1, start + 127)
        const given = yield* participant.columns(start, last, owed)
        assert.deepStrictEqual(given, yield* truth.columns(start, last, owed))
        const slots = new Set(given.map((ssz) => Either.getOrThrow(peekAnySidecar(fromHex(ssz))).slot))
        assert.strictEqual(given.length, slots.size * owed.length)
        return { start, end: last, given }
      })
      const before = yield* everythingClaimed
      assert.isAtLeast(before.given.length, 64)

      // In the middle of whatever it does.
      yield* first.program.signal("SIGKILL")
      yield* first.program.exited("15 seconds")
      const again = yield* participate
      // It looks through what is on its disk first, and holds it against the chain, which it has to ask for anew.
      const claimed = yield* eventually(
        Effect.gen(function* () {
          const claim = yield* participant.claim
          if (claim.start > before.start) return false
          assert.deepStrictEqual(yield* participant.columns(before.start, before.end, owed), before.given)
          return claim
        }),
        "20 seconds",
        "500 millis"
      )
      const after = yield* everythingClaimed
      // It may have filled in more of the past by then.
      const had = new Set(before.given)
      assert.deepStrictEqual(
        after.given.filter((ssz) => had.has(ssz)),
        before.given
      )

      // What it missed while it was away is had from its peers, and claimed with all that was before.
      yield* eventually(
        Effect.map(participant.claim, ({ end, start }) => start <= before.start && end > claimed.end + 8),
        "60 seconds",
        "500 millis"
      )
      yield* compliant(peer.outcomes.success + 64)
      yield* isServed(again)
      yield* everythingClaimed
      assert.strictEqual((yield* watcher.status).peers.verdicts.violating, 0)
    })
  )
})
