import { mkdtempSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Clock, Duration, Effect, Schema, type Scope } from "effect"
import { DevnetAnnouncement } from "../../../src/devnet/RunDevnet.ts"
import { ComplianceRow } from "../../../src/domain/report/Question.ts"
import { followStream } from "../../crowd/FollowStream.ts"
import { freePort } from "../../crowd/FreePort.ts"
import { linesOf } from "../../crowd/LogLines.ts"
import { vitalsOf } from "../../crowd/Vitals.ts"
import { start } from "../../soak/Child.ts"
import { type Counted, countOf } from "./Count.ts"

/** The built program over a devnet, both processes of their own. */
interface World {
  /** Of its API, without a slash at the end. */
  readonly url: string
  /** On which its libp2p node listens, on 127.0.0.1. */
  readonly port: number
}

/** Something hostile that is no peer of the devnet; it ends with its scope, and gives what it has done. */
export type Crowd = (world: World) => Effect.Effect<Effect.Effect<Numbers>, never, Scope.Scope>
type Numbers = Readonly<Record<string, number>>

export interface Phase {
  readonly name: string
  /** Peers of the devnet beside the honest ones, as its command line has them. */
  readonly peers: ReadonlyArray<string>
  readonly crowd: Crowd
}

export interface PhaseOptions {
  /** Of files. */
  readonly folder: string
  readonly honest: number
  readonly warmUp: Duration.DurationInput
  readonly measure: Duration.DurationInput
}

/** What became of the monitor, and what it found out, beside the hostile ones. */
export interface Observed extends Counted {
  readonly rssMiB: number
  readonly exitCode: number | null
  /** What the hostile ones did. */
  readonly done: Numbers
}

/** One run of the program: it warms up, is measured, and is told to stop. */
export const runPhase = (phase: Phase, options: PhaseOptions): Effect.Effect<Observed, unknown> =>
  Effect.gen(function* () {
    const { folder, honest, measure, warmUp } = options
    const spec = [`honest:${honest}`, ...phase.peers].join(",")
    const devnet = yield* start(["devnet", ...`--peers ${spec} --slot-duration 2s --seed 31`.split(" ")])
    const [line] = yield* devnet.printed(/^\{.*\}$/m, startLimit)
    const { beaconApi, peers } = yield* Schema.decode(Schema.parseJson(DevnetAnnouncement))(line)
    const port = yield* freePort
    // The same phase may run twice, each over a network of its own.
    const own = yield* Effect.sync(() => mkdtempSync(join(folder, "run-")))
    const names = {
      config: join(own, "config.yaml"),
      database: join(own, "dasmon.db"),
      log: join(own, "events.ndjson")
    }
    const config = configOf({ beaconApi, port, database: names.database, log: names.log, peers })
    yield* Effect.sync(() => writeFileSync(names.config, config))
    const monitor = yield* start(["run", "--config", names.config], [`--max-old-space-size=${monitorHeapMiB}`])
    const [, url = ""] = yield* monitor.printed(/open (http:\S+)/, startLimit)
    const stream = yield* followStream(url)
    const counts = yield* phase.crowd({ url, port })

    yield* Effect.sleep(warmUp)
    const from = yield* Clock.currentTimeMillis
    yield* Effect.sleep(measure)
    const until = yield* Clock.currentTimeMillis
    const done = yield* counts
    const { peakMiB } = vitalsOf(monitor.pid)
    yield* monitor.signal("SIGTERM")
    const exitCode = yield* monitor.exited("30 seconds")

    const report = yield* start(["report", "--db", names.database, ...everyPeer.split(" ")])
    yield* report.exited("60 seconds")
    const rows = yield* Schema.decode(Schema.parseJson(Schema.Array(ComplianceRow)))(report.output())
    const honestPeers = new Set(peers.flatMap(({ peerId, profile }) => (profile === "honest" ? [peerId] : [])))
    const counted = countOf(linesOf(names.log), rows, honestPeers, { from, until })
    const { missing } = yield* stream.counts
    return { ...counted, lost: counted.lost + missing, rssMiB: peakMiB, exitCode, done }
  }).pipe(Effect.scoped)

const startLimit = Duration.minutes(2)
/** On a machine with much memory V8 is too lazy to tell what is held from what was not thrown away yet. */
const monitorHeapMiB = 384
const everyPeer = "--by peer --format json --limit 100000"

/** Probes are small and often, so that a minute has enough of them, and two cores are not half busy with the honest ones. */
const configOf = (names: {
  readonly beaconApi: string
  readonly port: number
  readonly database: string
  readonly log: string
  readonly peers: DevnetAnnouncement["peers"]
}): string =>
  [
    `beacon_api: ${names.beaconApi}`,
    `listen_addresses: [/ip4/127.0.0.1/tcp/${names.port}]`,
    `database_path: ${names.database}`,
    `event_log_file: ${names.log}`,
    "event_log_max_size: 4GiB",
    "http_addr: 127.0.0.1:0",
    "test_interval: 2s",
    "peer_refresh_interval: 4s",
    "confirm_after: 5s",
    "sampling: { max_slots: 4, max_columns: 8 }",
    "peers:",
    ...names.peers.map(({ enr }) => `  - ${enr}`)
  ].join("\n")
