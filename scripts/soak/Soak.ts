import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Console, Duration, Effect, Fiber, Option, Random, Ref, Schedule, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { type ProfileName, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { DevnetAnnouncement } from "../../src/devnet/RunDevnet.ts"
import { ComplianceRow } from "../../src/domain/report/Question.ts"
import type { Event } from "../../src/domain/Event.ts"
import { LogLine } from "../../src/events/EventLog.ts"
import { makeBadRoad } from "./BadRoad.ts"
import { type Child, ChildFailed, start } from "./Child.ts"
import { disturb, undisturbed } from "./Disturb.ts"
import { conclude, isSettled, type Result } from "./Conclude.ts"

interface SoakOptions {
  readonly minutes: number
  readonly seed: number
}

/**
 * A devnet of every profile, and the monitor over it, while the beacon node goes away, fails and is slow, the chain
 * reorganises, and the monitor is killed once and started again. When the time is over there is peace, so that who lies
 * can be found; then all that was said is held against what the peers are.
 */
export const soak = ({ minutes, seed }: SoakOptions): Effect.Effect<Result, unknown> =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    const spec = ["honest:4", ...profileNames].join(",")
    const options = `--peers ${spec} --api like-prysm --slot-duration 500ms --seed ${seed}`
    const devnet = yield* start(["devnet", ...options.split(" ")])
    const [line] = yield* devnet.printed(/^\{.*\}$/m, startLimit)
    const network = yield* Schema.decode(Schema.parseJson(DevnetAnnouncement))(line)
    const profiles = new Map(
      network.peers.flatMap(({ peerId, profile }) => {
        const known = profileNames.find((name) => name === profile)
        return known === undefined ? [] : [[peerId, known] as const]
      })
    )
    const road = yield* makeBadRoad(network.beaconApi)
    const config = join(home, "config.yaml")
    const database = join(home, "dasmon.db")
    const log = join(home, "events.ndjson")
    const peers = network.peers.map(({ enr }) => enr)
    yield* Effect.sync(() => writeFileSync(config, configOf({ url: road.url, database, log, peers })))
    yield* Console.log(`${profiles.size} peers are up; ${minutes} minutes of trouble begin (seed ${seed})`)

    const rss = yield* Ref.make<ReadonlyArray<number>>([])
    const done = yield* Ref.make(undisturbed)
    const first = yield* watch(config, rss)
    const trouble = yield* Effect.fork(Effect.withRandom(disturb(network.beaconApi, road, done), Random.make(seed)))
    yield* Effect.sleep(Duration.minutes(minutes / 2))
    const before = yield* snapshotOf(first.url)
    yield* first.monitor.signal("SIGKILL")
    yield* first.monitor.exited("10 seconds")
    yield* Console.log(`killed and started again; ${JSON.stringify(before.status.outcomes)}`)

    const second = yield* watch(config, rss)
    yield* Effect.sleep(Duration.minutes(minutes / 2))
    yield* Fiber.interrupt(trouble)
    yield* road.set("well")
    yield* Console.log("peace, until everybody is found out")
    const after = yield* untilSettled(second.url, profiles)
    yield* second.monitor.signal("SIGINT")
    const exitCode = yield* second.monitor.exited("20 seconds")
    const report = yield* start(["report", "--db", database, "--by", "peer", "--format", "json"])
    yield* report.exited("60 seconds")
    const rows = yield* Schema.decode(Schema.parseJson(Schema.Array(ComplianceRow)))(report.output())
    return conclude({
      minutes,
      seed,
      profiles,
      events: yield* eventsOf(log),
      rows,
      peers: after.peers,
      defects: before.status.defects + after.status.defects,
      disturbances: yield* Ref.get(done),
      rssMiB: yield* Ref.get(rss),
      exitCode,
      output: [first.monitor, second.monitor].map((monitor) => `${monitor.output()}${monitor.errors()}`).join("\n")
    })
  }).pipe(Effect.scoped)

const startLimit = Duration.minutes(3)
/** How long after the trouble everybody who lies must be found out, on a machine that has other things to do. */
const findLimit = Duration.minutes(15)

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-soak-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** Requests are small, so that a devnet and its monitor fit on two cores, and evidence is not all of the disk. */
const configOf = (names: {
  readonly url: string
  readonly database: string
  readonly log: string
  readonly peers: ReadonlyArray<string>
}): string =>
  [
    `beacon_api: ${names.url}`,
    `database_path: ${names.database}`,
    `event_log_file: ${names.log}`,
    "event_log_max_size: 4GiB",
    "http_addr: 127.0.0.1:0",
    "test_interval: 1s",
    "peer_refresh_interval: 8s",
    "confirm_after: 3s",
    "sampling: { max_slots: 2, max_columns: 8, daily_bytes: off }",
    "bandwidth_limit: off",
    "peers:",
    ...names.peers.map((enr) => `  - ${enr}`)
  ].join("\n")

/** What is alive is less than half of this; without a limit a machine with much memory collects later than that. */
const monitorHeapMiB = 384

/** Starts the monitor, and takes down how much memory it has. */
const watch = (config: string, rss: Ref.Ref<ReadonlyArray<number>>) =>
  Effect.gen(function* () {
    const monitor: Child = yield* start(["run", "--config", config], [`--max-old-space-size=${monitorHeapMiB}`])
    const [, url = ""] = yield* monitor.printed(/open (http:\S+)/, startLimit)
    const look = Effect.flatMap(monitor.rssMiB, (now) => Ref.update(rss, (all) => (now > 0 ? [...all, now] : all)))
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("2 seconds")))
    return { monitor, url }
  })

const snapshotOf = (url: string) =>
  Effect.tryPromise(async (signal) => {
    const response = await fetch(`${url}/snapshot`, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
    return response.json()
  }).pipe(
    Effect.flatMap(Schema.decodeUnknown(Snapshot)),
    Effect.retry(Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(10))),
    Effect.mapError((error) => new ChildFailed({ message: `${url}/snapshot: ${String(error)}` }))
  )

/** The snapshot in which everybody who lies is found out, or the last one when the time for it is over. */
const untilSettled = (url: string, profiles: ReadonlyMap<string, ProfileName>) =>
  Effect.gen(function* () {
    let told = ""
    const tell = (waited: string) =>
      waited === told
        ? Effect.void
        : Effect.zipRight(
            Effect.sync(() => (told = waited)),
            Console.log(waited)
          )
    const found = yield* snapshotOf(url).pipe(
      Effect.delay("1 second"),
      Effect.tap(({ peers }) => tell(waitedFor(peers, profiles))),
      Effect.repeat({ until: ({ peers }) => peers.every((peer) => isSettled(peer, profiles)) }),
      Effect.timeoutOption(findLimit)
    )
    return Option.isSome(found) ? found.value : yield* snapshotOf(url)
  })

const waitedFor = (peers: Snapshot["peers"], profiles: ReadonlyMap<string, ProfileName>): string => {
  const open = peers.filter((peer) => !isSettled(peer, profiles))
  const names = open.map(({ peerId, verdict }) => `${profiles.get(peerId) ?? "unknown"} (${verdict})`)
  return names.length === 0 ? "everybody is found out" : `not yet: ${names.join(", ")}`
}

/** What a kill may have cut off is no event. */
const eventsOf = (log: string): Effect.Effect<ReadonlyArray<Event>> =>
  Effect.sync(() =>
    readFileSync(log, "utf8")
      .split("\n")
      .flatMap((line) => Option.toArray(Schema.decodeOption(LogLine)(line)))
      .flatMap((one) => (one._tag === "Gap" ? [] : [one]))
  )
