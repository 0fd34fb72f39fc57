import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { isHonest, type ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { Event } from "../../src/domain/Event.ts"
import { blameOf } from "../../src/domain/probe/Outcome.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { temporaryFolder } from "./Network.ts"
import { getJson, start } from "./Program.ts"

const targetPeers = 4
const profiles: ReadonlyArray<ProfileName> = [
  ...Array.from({ length: 8 }, () => "honest" as const),
  "supernode",
  "late-columns",
  "withhold"
]

describe("a network that is larger than the set of peers", () => {
  it.scopedLive(
    "is audited to the last one: peers are exchanged with a Goodbye, never while something is open",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryFolder
        const { beaconApi, bootEnr, peers } = yield* makeDevnet({
          peers: profiles,
          seed: 15,
          slotDuration: Duration.millis(500)
        })
        const log = join(home, "events.ndjson")
        const program = yield* start([
          "run",
          `--beacon-api=${beaconApi}`,
          `--bootnodes=${yield* bootEnr}`,
          "--discovery-beacon-peers=false",
          "--discovery-listen-addresses=/ip4/127.0.0.1/udp/0",
          "--http-addr=127.0.0.1:0",
          `--database-path=${join(home, "dasmon.db")}`,
          `--event-log-file=${log}`,
          `--target-peers=${targetPeers}`,
          "--test-interval=300ms",
          "--confirm-after=2s",
          "--peer-refresh-interval=2s"
        ])
        const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
        const status = Effect.map(
          Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot)),
          ({ status }) => status
        )
        let mostConnected = 0
        const { audit } = yield* eventually(
          Effect.map(status, (status) => {
            mostConnected = Math.max(mostConnected, status.peers.connected)
            const all = profiles.length
            assert.deepInclude(status.audit, {
              known: all,
              reachable: all,
              audited: { hour: all, day: all, window: all }
            })
            return status
          }),
          "3 minutes",
          "200 millis"
        )
        assert.isAbove(audit.peersPerHour, 0)
        assert.isNumber(audit.roundDoneAt)
        // A quarter more while columns are lacking, and those that are exchanged.
        assert.isAtMost(mostConnected, targetPeers + 4)

        const readEvents = Effect.sync(() =>
          readFileSync(log, "utf8")
            .split("\n")
            .slice(0, -1)
            .map((line) => Schema.decodeSync(Schema.parseJson(Event))(line))
        )
        const goneIn = (events: ReadonlyArray<Event>) =>
          events.flatMap((event) => (event._tag === "NodeTracking" && event.change === "forgotten" ? [event] : []))
        // Peers go on being exchanged: the log and what a peer has heard may be read at two sides of a Goodbye.
        const events = yield* eventually(
          Effect.gen(function* () {
            const events = yield* readEvents
            for (const { account, peerId, profile } of peers) {
              const visits = goneIn(events).filter((event) => event.peerId === peerId).length
              assert.strictEqual((yield* account).counts["heard goodbye 129"] ?? 0, visits, profile)
            }
            return events
          }),
          "30 seconds",
          "100 millis"
        )
        const gone = goneIn(events)
        assert.isAtLeast(gone.length, profiles.length - targetPeers - 4)
        for (const { detail, peer } of gone) {
          assert.strictEqual(detail, "others have their turn")
          assert.strictEqual(peer.suspicions, 0)
          assert.isAbove(peer.outcomes.success + peer.failing, 0)
        }
        for (const { account, peerId, profile } of peers) {
          const { sanctions } = yield* account
          assert.deepStrictEqual(sanctions, [], profile)
          if (!isHonest(profile)) continue
          const outcomes = events.flatMap((event) =>
            event._tag === "Sampling" && event.probe.job.peerId === peerId ? event.probe.outcomes : []
          )
          assert.isAbove(outcomes.length, 0)
          // No answer was cut off, and nothing was blamed.
          const odd = outcomes.filter(({ outcome }) => outcome === "disconnected" || blameOf[outcome] === "peer")
          assert.deepStrictEqual(odd, [], profile)
        }
        const liar = peers.find(({ profile }) => profile === "withhold")?.peerId
        assert.isTrue(
          events.some(
            (event) => event._tag === "NodeTracking" && event.peerId === liar && event.peer.verdict === "violating"
          )
        )
        yield* program.signal("SIGTERM")
        assert.strictEqual((yield* program.exited("20 seconds"))[0], 0, program.errors())
      }),
    scaledMs("5 minutes")
  )
})
