import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Console, Duration, Effect, Fiber, Option, Random, Ref, Schedule, Schema } from "effect"
import type { Snapshot } from "../../src/Dasmon.ts"
import { isLike, type ProfileName, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { ComplianceRow } from "../../src/domain/report/Question.ts"
import { freePort } from "../crowd/FreePort.ts"
import { identityFlood } from "../crowd/IdentityFlood.ts"
import { idleSockets } from "../crowd/IdleSockets.ts"
import { sizeMiB, vitalsOf } from "../crowd/Vitals.ts"
import { makeBadRoad } from "./BadRoad.ts"
import { type Child, start } from "./Child.ts"
import { disturb, undisturbed } from "./Disturb.ts"
import { conclude, isSettled, type Result } from "./Conclude.ts"
import type { Sample } from "./Flat.ts"
import { snapshotOf, startDevnet, startLimit, temporaryFolder } from "./Monitor.ts"
import { followLog } from "./Story.ts"

interface SoakOptions {
  readonly minutes: number
  readonly seed: number
  /** Whether the monitor takes part in gossip as a node does, with custody of its own, and does not only observe it. */
  readonly participate: boolean
}

/**
 * A devnet of every profile, and the monitor over it, while the beacon node goes away, fails and is slow, the chain
 * reorganises, sockets that say nothing and ever new identities come, and the monitor is killed once and started again. When
 * the time is over there is peace, so that who lies can be found; then all that was said is held against what the peers
 * are, and what the monitor took of the machine against what it took before.
 */
export const soak = ({ minutes, participate, seed }: SoakOptions): Effect.Effect<Result, unknown> =>
  Effect.gen(function* () {
    const home = yield* temporaryFolder
    // Those that are as clients are have a run of their own (`Guests`).
    const own = profileNames.filter((name) => !isLike(name))
    const spec = ["honest:4", ...own].join(",")
    const { network, profiles } = yield* startDevnet(
      `--peers ${spec} --api like-prysm --slot-duration 500ms --seed ${seed}`
    )
    const road = yield* makeBadRoad(network.beaconApi)
    const bounded = minutes >= longMinutes
    const files: Files = {
      config: join(home, "config.yaml"),
      database: join(home, "dasmon.db"),
      log: join(home, "events.ndjson")
    }
    const port = yield* freePort
    const peers = network.peers.map(({ enr }) => enr)
    yield* Effect.sync(() =>
      writeFileSync(files.config, configOf({ url: road.url, files, port, peers, bounded, participate }))
    )
    yield* Console.log(`${profiles.size} peers are up; ${minutes} minutes of trouble begin (seed ${seed})`)

    const done = yield* Ref.make(undisturbed)
    const story = yield* followLog(files.log)
    const first = yield* watch(files)
    const flood = yield* identityFlood({ port, perSecond: 1, seconds: 10 })
    const sockets = yield* idleSockets(port, 200)
    const trouble = yield* Effect.fork(Effect.withRandom(disturb(network.beaconApi, road, done), Random.make(seed)))
    const untilKill = Math.min(minutes / 2, killAfterMinutes)
    yield* Effect.sleep(Duration.minutes(untilKill))
    const before = yield* snapshotOf(first.url)
    yield* first.monitor.signal("SIGKILL")
    yield* first.monitor.exited("10 seconds")
    yield* Console.log(`killed and started again; ${JSON.stringify(before.status.outcomes)}`)

    const second = yield* watch(files)
    yield* Effect.sleep(Duration.minutes(minutes - untilKill))
    yield* Fiber.interrupt(trouble)
    yield* road.set("well")
    yield* Console.log("peace, until everybody is found out")
    const after = yield* untilSettled(second.url, profiles)
    const samples = yield* Ref.get(second.samples)
    yield* second.monitor.signal("SIGINT")
    const exitCode = yield* second.monitor.exited("20 seconds")
    const report = yield* start([
      "report",
      "--db",
      files.database,
      ..."--by peer --format json --limit 100000".split(" ")
    ])
    yield* report.exited("60 seconds")
    const rows = yield* Schema.decode(Schema.parseJson(Schema.Array(ComplianceRow)))(report.output())
    return conclude({
      minutes,
      seed,
      profiles,
      story: yield* story,
      rows,
      peers: after.peers.filter(({ peerId }) => profiles.has(peerId)),
      defects: before.status.defects + after.status.defects,
      disturbances: yield* Ref.get(done),
      crowd: { ...(yield* flood.counts), sockets: (yield* sockets.counts).opened },
      samples: [...(yield* Ref.get(first.samples)), ...samples],
      last: samples,
      bounded,
      exitCode,
      output: [first.monitor, second.monitor].map((monitor) => `${monitor.output()}${monitor.errors()}`).join("\n")
    })
  }).pipe(Effect.scoped)

interface Files {
  readonly config: string
  readonly database: string
  readonly log: string
}

/** How long after the trouble everybody who lies must be found out, on a machine that has other things to do. */
const findLimit = Duration.minutes(15)
/** Into the first run; it is half of a short one. */
const killAfterMinutes = 5
/** A run that lasts so long is one in which the files fill up. */
const longMinutes = 30

/**
 * Requests are small, so that a devnet and its monitor fit on two cores, and evidence is not all of the disk. Where it is
 * `bounded`, what is recorded is kept for ten minutes, and the event log for a few megabytes.
 */
const configOf = (options: {
  readonly url: string
  readonly files: Files
  readonly port: number
  readonly peers: ReadonlyArray<string>
  readonly bounded: boolean
  readonly participate: boolean
}): string =>
  [
    `beacon_api: ${options.url}`,
    `listen_addresses: [/ip4/127.0.0.1/tcp/${options.port}]`,
    `database_path: ${options.files.database}`,
    `event_log_file: ${options.files.log}`,
    ...(options.bounded
      ? ["event_log_max_size: 8MiB", `event_log_keep: ${logsKept}`, "retention: 10m"]
      : ["event_log_max_size: 4GiB"]),
    "http_addr: 127.0.0.1:0",
    "test_interval: 1s",
    "peer_refresh_interval: 8s",
    "confirm_after: 3s",
    "sampling: { max_slots: 2, max_columns: 8, daily_bytes: off }",
    "bandwidth_limit: off",
    `gossip: { mode: ${options.participate ? "participate" : "observe"} }`,
    "peers:",
    ...options.peers.map((enr) => `  - ${enr}`)
  ].join("\n")

const logsKept = 3

/** What is alive is less than half of this; without a limit a machine with much memory collects later than that. */
const monitorHeapMiB = 384

/** Starts the monitor, and takes down every two seconds what it has of the machine. */
const watch = (files: Files) =>
  Effect.gen(function* () {
    const monitor: Child = yield* start(["run", "--config", files.config], [`--max-old-space-size=${monitorHeapMiB}`])
    const [, url = ""] = yield* monitor.printed(/open (http:\S+)/, startLimit)
    const samples = yield* Ref.make<ReadonlyArray<Sample>>([])
    const startedAt = performance.now()
    const logs = Array.from({ length: logsKept }, (_, index) => `${files.log}.${index + 1}`)
    const look = Effect.suspend(() => {
      const { descriptors, rssMiB, threads } = vitalsOf(monitor.pid)
      const values = {
        rssMiB,
        descriptors,
        threads,
        databaseMiB: sizeMiB([files.database]),
        walMiB: sizeMiB([`${files.database}-wal`]),
        logMiB: sizeMiB([files.log, ...logs])
      }
      const sample = { at: performance.now() - startedAt, values }
      return Ref.update(samples, (all) => (rssMiB > 0 ? [...all, sample] : all))
    })
    yield* Effect.forkScoped(Effect.repeat(look, Schedule.spaced("2 seconds")))
    return { monitor, url, samples }
  })

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
