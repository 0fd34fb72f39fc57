import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import { Effect, Option, Schema, type Scope } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { type ProfileName, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import type { Event } from "../../src/domain/Event.ts"
import { PeerDetail } from "../../src/domain/report/PeerDetail.ts"
import { LogLine } from "../../src/events/EventLog.ts"
import { accusationsIn, fateOf, isEvidence, mayBeEvasive } from "../../scripts/soak/Judge.ts"
import { getJson, start } from "./Program.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder, startNetwork } from "./Network.ts"
import { scaledMs } from "../TimeLimits.ts"

export const confirmAfterMs = 1500

/**
 * The built program over a devnet in a process of its own, small requests and short waits; `peers` and `api` as the
 * devnet's command line has them.
 */
export const watchDevnet = (options: {
  readonly peers: string
  readonly api?: string
  readonly seed: number
  /** More arguments of the devnet. */
  readonly network?: string
  /** What stands before the devnet's Beacon API: the addresses that are configured in its place. */
  readonly through?: (beaconApi: string) => Effect.Effect<ReadonlyArray<string>, never, Scope.Scope>
  /** More lines of the configuration. */
  readonly config?: ReadonlyArray<string>
}) =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    const { api = "plain", network, peers: spec, seed } = options
    const parameters = `--peers ${spec} --api ${api} --seed ${seed} --slot-duration 500ms`
    const { beaconApi, peers } = yield* startNetwork(network === undefined ? parameters : `${parameters} ${network}`)
    const apis = options.through === undefined ? [beaconApi] : yield* options.through(beaconApi)
    const config = join(home, "config.yaml")
    const log = join(home, "events.ndjson")
    yield* Effect.sync(() =>
      writeFileSync(
        config,
        [
          `beacon_api: [${apis.join(", ")}]`,
          `database_path: ${join(home, "dasmon.db")}`,
          `event_log_file: ${log}`,
          "event_log_max_size: 4GiB",
          "http_addr: 127.0.0.1:0",
          "test_interval: 500ms",
          "peer_refresh_interval: 4s",
          `confirm_after: ${confirmAfterMs}ms`,
          "sampling: { max_slots: 2, max_columns: 8, daily_bytes: off }",
          "bandwidth_limit: off",
          ...(options.config ?? []),
          "peers:",
          ...peers.map(({ enr }) => `  - ${enr}`)
        ].join("\n")
      )
    )
    const program = yield* start(["run", "--config", config])
    const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
    const profiles = new Map(
      peers.flatMap(({ peerId, profile }) => {
        const name = profileNames.find((name) => name === profile)
        return name === undefined ? [] : [[peerId, name] as const]
      })
    )
    const profileOf = (peerId: string): ProfileName => {
      const profile = profiles.get(peerId)
      if (profile === undefined) throw new Error(`${peerId} is no peer of the devnet`)
      return profile
    }
    return {
      home,
      program,
      base,
      beaconApi,
      profiles,
      profileOf,
      snapshot: Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot)),
      detail: (peerId: string) => Effect.flatMap(getJson(base, `/peers/${peerId}`), Schema.decodeUnknown(PeerDetail)),
      /** Has the network do something: `reorg?depth=2`, `restart`. */
      tell: (what: string) =>
        Effect.promise(async (signal) => {
          const { status } = await fetch(`${beaconApi}/devnet/${what}`, { method: "POST", signal })
          assert.strictEqual(status, 200, what)
        }),
      /** Ends the program, and gives all that it said had happened. */
      finish: Effect.gen(function* () {
        yield* program.signal("SIGINT")
        yield* program.exited("15 seconds")
        return readFileSync(log, "utf8")
          .split("\n")
          .flatMap((line) => Option.toArray(Schema.decodeOption(LogLine)(line)))
          .flatMap((one) => (one._tag === "Gap" ? [] : [one]))
      })
    }
  })

/** A watched devnet. */
export type Watched = Effect.Effect.Success<ReturnType<typeof watchDevnet>>

/** The snapshot for which `check` holds, as soon as it does; fails with what is missing. */
export const whenTrue = (
  { profileOf, snapshot }: Watched,
  missing: (peers: Snapshot["peers"]) => ReadonlyArray<Snapshot["peers"][number]>,
  limit: "3 minutes" | "4 minutes"
) =>
  eventually(
    Effect.map(snapshot, (now) => {
      assert.deepStrictEqual(
        missing(now.peers).map(({ outcomes, peerId, verdict }) => [profileOf(peerId), verdict, outcomes]),
        []
      )
      return now
    }),
    limit,
    "500 millis"
  )

/** Waits until everybody is judged as is right: who lies is violating, and of everyone else something was verified. */
export const whenJudged = (watched: Watched) =>
  whenTrue(
    watched,
    (peers) =>
      peers.filter(({ outcomes, peerId, verdict }) =>
        fateOf(watched.profileOf(peerId)) === "found"
          ? verdict !== "violating"
          : verdict !== "compliant" || outcomes.success < 20
      ),
    "4 minutes"
  )

/** What is so in every run: nobody is accused too early, and of `blameless` profiles no peer is accused at all. */
export const assertFair = (
  { profileOf }: Watched,
  events: ReadonlyArray<Event>,
  isBlameless: (profile: ProfileName) => boolean
): void => {
  const accusations = accusationsIn(events)
  const wronged = accusations.filter(({ peerId }) => isBlameless(profileOf(peerId)))
  assert.deepStrictEqual(
    wronged.map((accusation) => ({ ...accusation, profile: profileOf(accusation.peerId) })),
    []
  )
  const hasty = accusations.filter(
    (accusation) =>
      !isEvidence(accusation) &&
      !(accusation.suspectedAt !== undefined && accusation.askedAt - accusation.suspectedAt >= confirmAfterMs)
  )
  assert.deepStrictEqual(hasty, [], "one conversation is no proof")
  for (const event of events) {
    if (event._tag === "SystemSnapshot") assert.strictEqual(event.status.defects, 0)
    if (event._tag !== "NodeTracking") continue
    const profile = profileOf(event.peerId)
    if (!isBlameless(profile)) continue
    assert.notStrictEqual(event.peer.verdict, "violating", profile)
    if (!mayBeEvasive(profile)) assert.notStrictEqual(event.peer.verdict, "evasive", profile)
  }
}

/** Waits in real time, longer on a machine that has much to do. */
export const patiently = (ms: number) => Effect.suspend(() => Effect.sleep(Math.min(scaledMs(ms), 3 * ms)))
