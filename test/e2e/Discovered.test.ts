import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { ENR } from "@chainsafe/enr"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { makeDevPeer } from "../../src/devnet/peer/DevPeer.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import { epochOf, slotAt } from "../../src/domain/network/Chain.ts"
import { enrForkIdAt } from "../../src/domain/network/EnrForkId.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { collected, discv5At } from "../discovery/Nodes.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { temporaryFolder } from "./Network.ts"
import { getJson, start } from "./Program.ts"

const token = "correct-horse"

const snapshotOf = (base: string) =>
  Effect.tryPromise(async (signal) => {
    const response = await fetch(`${base}/snapshot`, { signal, headers: { authorization: `Bearer ${token}` } })
    return response.json()
  }).pipe(Effect.flatMap(Schema.decodeUnknown(Snapshot)))

const give = (base: string, peers: ReadonlyArray<string>) =>
  Effect.promise(async (signal) => {
    const response = await fetch(`${base}/peers`, {
      signal,
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ peers })
    })
    return response.status
  })

describe("dasmon run, with nothing but a beacon node and a boot node", () => {
  it.scopedLive(
    "finds peers by discv5, takes those of a file, of the API, and that come; and is found, as the same one after a restart",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryFolder
        const network = yield* makeDevnet({
          peers: ["honest", "honest", "supernode", "withhold"],
          seed: 16,
          slotDuration: Duration.millis(500)
        })
        const { chain, parameters } = network
        // Of these discv5 knows nothing.
        const [inFile, later, given] = yield* Effect.forEach([10, 11, 12], (index) =>
          makeDevPeer(chain, "honest", index)
        )
        assert(inFile !== undefined && later !== undefined && given !== undefined)
        const enrFile = join(home, "peers.enr")
        writeFileSync(enrFile, `${yield* inFile.enr}\n`)
        const database = join(home, "dasmon.db")
        const run = start([
          "run",
          `--beacon-api=${network.beaconApi}`,
          `--bootnodes=${yield* network.bootEnr}`,
          "--discovery-beacon-peers=false",
          "--discovery-listen-addresses=/ip4/127.0.0.1/udp/0",
          `--discovery-enr-file=${enrFile}`,
          "--listen-addresses=/ip4/127.0.0.1/udp/0/quic-v1,/ip4/127.0.0.1/tcp/0",
          "--http-addr=127.0.0.1:0",
          `--http-token=${token}`,
          `--database-path=${database}`,
          "--test-interval=500ms",
          "--confirm-after=2s",
          "--peer-refresh-interval=1s"
        ])
        const stranger = yield* discv5At("stranger", { chain: parameters, bootEnrs: [yield* network.bootEnr] })
        const heard = yield* collected(stranger.found)

        /** What the running program says, and others hear, of its own record. */
        const ownRecord = (base: string) =>
          Effect.gen(function* () {
            const { ownRecord } = (yield* snapshotOf(base)).status
            assert(ownRecord !== null)
            const record = yield* decodeNodeRecord(ownRecord.enr)
            yield* eventually(
              Effect.map(heard, (all) => all.some(({ enr }) => enr === ownRecord.enr)),
              "40 seconds"
            )
            return { ...ownRecord, ...record }
          })

        const first = yield* run
        const [, base = ""] = yield* first.printed(/open (http:\S+)/, "60 seconds")
        const verdictsOf = (all: ReadonlyArray<{ readonly peerId: string; readonly profile: string }>) =>
          Effect.map(snapshotOf(base), ({ peers }) => {
            for (const { peerId, profile } of all) {
              const view = peers.find((view) => view.peerId === peerId)
              assert.strictEqual(view?.verdict, profile === "withhold" ? "violating" : "compliant", profile)
            }
          })
        yield* eventually(verdictsOf([...network.peers, inFile]), "90 seconds", "200 millis")
        appendFileSync(enrFile, `${yield* later.enr}\n`)
        assert.strictEqual(yield* give(base, [yield* given.enr]), 200)
        yield* eventually(verdictsOf([later, given]), "60 seconds", "200 millis")
        const own = yield* ownRecord(base)
        const { kvs } = ENR.decodeTxt(own.enr)
        const now = enrForkIdAt(parameters, epochOf(parameters, slotAt(parameters, Date.now())))
        const said = (key: string) => toHex(kvs.get(key) ?? new Uint8Array())
        assert.deepStrictEqual(["eth2", "nfd", "cgc", "attnets", "syncnets", "ip"].map(said), [
          toHex(now.eth2),
          toHex(now.nfd),
          "0x04",
          `0x${"00".repeat(8)}`,
          "0x00",
          "0x7f000001"
        ])
        for (const port of ["udp", "tcp", "quic"]) assert.isTrue(kvs.has(port), port)
        assert.lengthOf(own.advertised, 3)
        yield* first.printed(new RegExp(`reached at ${own.advertised.join(" ").replaceAll(".", "\\.")}`), "10 seconds")

        // Another monitor finds us by what we advertise, and comes to us.
        const guest = yield* start([
          "run",
          `--beacon-api=${network.beaconApi}`,
          `--peers=${own.enr}`,
          "--discovery-discv5=false",
          "--discovery-beacon-peers=false",
          "--http-addr=127.0.0.1:0",
          `--database-path=${join(home, "guest.db")}`,
          "--agent=guest/1.0"
        ])
        const [, guestBase = ""] = yield* guest.printed(/open (http:\S+)/, "60 seconds")
        yield* eventually(
          Effect.gen(function* () {
            const view = yield* Effect.flatMap(getJson(guestBase, "/snapshot"), Schema.decodeUnknown(Snapshot))
            assert.deepStrictEqual(
              view.peers.map(({ connected, peerId }) => [peerId, connected]),
              [[own.peerId, true]]
            )
            const { peers } = yield* snapshotOf(base)
            assert.isTrue(peers.some(({ agent, connected }) => agent === "guest/1.0" && connected))
          }),
          "60 seconds",
          "200 millis"
        )
        yield* guest.signal("SIGTERM")
        yield* guest.exited("20 seconds")

        yield* first.signal("SIGTERM")
        assert.strictEqual((yield* first.exited("20 seconds"))[0], 0, first.errors())
        for (const path of [`${database}.key`, `${database}.key.enr`]) {
          assert.strictEqual(statSync(path).mode & 0o777, 0o600, path)
        }
        assert.strictEqual(readFileSync(`${database}.key.enr`, "utf8").trim(), own.enr)
        const second = yield* run
        const [, again = ""] = yield* second.printed(/open (http:\S+)/, "60 seconds")
        const after = yield* ownRecord(again)
        assert.strictEqual(after.peerId, own.peerId)
        assert.isAbove(Number(after.seq), Number(own.seq))
        yield* second.signal("SIGTERM")
        assert.strictEqual((yield* second.exited("20 seconds"))[0], 0, second.errors())
      }),
    scaledMs("5 minutes")
  )
})
