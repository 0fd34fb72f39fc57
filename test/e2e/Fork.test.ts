import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Option, Ref, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { isHonest } from "../../src/devnet/profiles/Profiles.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import type { Event } from "../../src/domain/Event.ts"
import { epochStart, slotStart } from "../../src/domain/network/Chain.ts"
import { forkDigestAt, forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { blameOf } from "../../src/domain/probe/Outcome.ts"
import { collected, discv5At } from "../discovery/Nodes.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { eventsOf } from "./EventLines.ts"
import { temporaryFolder } from "./Network.ts"
import { getJson, start } from "./Program.ts"

const slotMs = 500
const historyEpochs = 8

describe("a fork", () => {
  it.scopedLive(
    "is crossed by the running program: it says so to the slot, is kept by all, and judges both sides rightly",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryFolder
        // Far enough away that the program is at work by then.
        const nextFork = Math.ceil(Math.min(scaledMs("45 seconds"), 120_000) / (32 * slotMs))
        const { beaconApi, bootEnr, parameters, peers } = yield* makeDevnet({
          peers: ["honest", "honest", "like-lighthouse", "supernode", "withhold"],
          seed: 14,
          slotDuration: Duration.millis(slotMs),
          historyEpochs,
          nextFork
        })
        const epoch = historyEpochs + nextFork
        const fork = epochStart(parameters, epoch)
        const crossedAt = slotStart(parameters, fork)
        const bootEnrs = [yield* bootEnr]
        const log = join(home, "events.ndjson")
        const program = yield* start([
          "run",
          `--beacon-api=${beaconApi}`,
          `--bootnodes=${bootEnrs.join(",")}`,
          "--discovery-beacon-peers=false",
          "--discovery-listen-addresses=/ip4/127.0.0.1/udp/0",
          "--http-addr=127.0.0.1:0",
          `--database-path=${join(home, "dasmon.db")}`,
          `--event-log-file=${log}`,
          "--test-interval=500ms",
          "--confirm-after=2s",
          "--peer-refresh-interval=1s",
          `--block-filter-start-slot=${fork - 32}`
        ])
        const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
        const snapshot = Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot))
        const stranger = yield* discv5At("stranger", { chain: parameters, bootEnrs })
        const heard = yield* collected(stranger.found)

        /** What our ENR said, and when. */
        const said = yield* Ref.make<ReadonlyArray<readonly [at: number, until: number, enr: string]>>([])
        const look = Effect.gen(function* () {
          const at = yield* Clock.currentTimeMillis
          const { ownRecord } = (yield* snapshot).status
          const until = yield* Clock.currentTimeMillis
          if (ownRecord !== null) yield* Ref.update(said, (before) => [...before, [at, until, ownRecord.enr] as const])
        })
        yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(look), "100 millis")))

        const outcomesOf = (events: ReadonlyArray<Event>, peerId: string) =>
          events.flatMap((event) =>
            event._tag === "Sampling" && event.probe.job.peerId === peerId ? event.probe.outcomes : []
          )
        const honest = peers.filter(({ profile }) => isHonest(profile))
        const events = yield* eventually(
          Effect.gen(function* () {
            const events = eventsOf(log)
            for (const { peerId, profile } of honest) {
              const proven = outcomesOf(events, peerId).filter(({ outcome }) => outcome === "success")
              assert.isTrue(
                proven.some(({ slot }) => slot < fork),
                profile
              )
              assert.isTrue(
                proven.some(({ slot }) => slot >= fork),
                profile
              )
            }
            const { peers: views } = yield* snapshot
            for (const { peerId, profile } of peers) {
              const view = views.find((view) => view.peerId === peerId)
              assert.strictEqual(view?.verdict, isHonest(profile) ? "compliant" : "violating", profile)
            }
            return events
          }),
          Duration.millis(crossedAt - Date.now() + 60_000),
          "500 millis"
        )

        for (const { account, peerId, profile } of honest) {
          const blamed = outcomesOf(events, peerId).filter(({ outcome }) => blameOf[outcome] === "peer")
          assert.deepStrictEqual(blamed, [], profile)
          const moves = events.flatMap((event) =>
            event._tag === "NodeTracking" && event.peerId === peerId && event.change !== "verdict" ? [event.change] : []
          )
          assert.deepStrictEqual(moves, ["tracked", "connected"], profile)
          assert.deepStrictEqual((yield* account).sanctions, [], profile)
        }

        const digests = [forkDigestAt(parameters, epoch - 1), forkDigestAt(parameters, epoch)].map(toHex)
        assert.strictEqual(digests[1], forkDigestOfSlot(parameters, fork))
        const looks = yield* Ref.get(said)
        for (const [at, until, enr] of looks) {
          const { forkDigest, nextForkDigest } = yield* decodeNodeRecord(enr)
          const isAfter = Option.contains(forkDigest, digests[1] ?? "")
          if (until < crossedAt) assert.isFalse(isAfter, "too early")
          if (at > crossedAt + slotMs) assert.isTrue(isAfter, "too late")
          assert.deepStrictEqual(forkDigest, Option.some(digests[isAfter ? 1 : 0] ?? ""))
          assert.deepStrictEqual(nextForkDigest, Option.some(isAfter ? "0x00000000" : (digests[1] ?? "")))
        }
        assert.isTrue(looks.some(([, until]) => until < crossedAt))
        // Others have heard of the new one.
        const own = yield* decodeNodeRecord(looks.at(-1)?.[2] ?? "")
        yield* eventually(
          Effect.map(heard, (all) => all.some(({ address, seq }) => address.peerId === own.peerId && seq === own.seq)),
          "30 seconds"
        )
        yield* program.signal("SIGTERM")
        assert.strictEqual((yield* program.exited("20 seconds"))[0], 0, program.errors())
      }),
    scaledMs("4 minutes")
  )
})
