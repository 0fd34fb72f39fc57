import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Data, type Duration, Effect, Schedule, Schema, type Scope } from "effect"
import { Status } from "../../../src/domain/Status.ts"
import { vitalsOf } from "../../crowd/Vitals.ts"
import { start } from "../../soak/Child.ts"
import { OwnVitals, vitalsFile } from "./OwnVitals.ts"

/** The built program as it watches a network, seen from beside it. */
export interface Monitored {
  /** Waits until `enough` says so of its status. */
  readonly until: (
    enough: (status: Status) => boolean,
    limit: Duration.DurationInput
  ) => Effect.Effect<Status, MonitoredError>
  /** Of itself since the last look; throws its garbage away before. */
  readonly look: Effect.Effect<typeof OwnVitals.Type & Resident, unknown>
  /** Its event log. */
  readonly log: string
}

interface Resident {
  readonly rssMiB: number
  readonly peakMiB: number
}

class MonitoredError extends Data.TaggedError("MonitoredError")<{ readonly message: string }> {}

/** Starts it over these nodes, which it reads from a file; it ends with the scope. */
export const monitor = (
  folder: string,
  beaconApi: string,
  enrs: ReadonlyArray<string>,
  settings: ReadonlyArray<string>
): Effect.Effect<Monitored, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const names = {
      enrs: join(folder, "enrs.txt"),
      vitals: join(folder, "vitals.json"),
      log: join(folder, "log.ndjson")
    }
    writeFileSync(names.enrs, enrs.join("\n"))
    const config = join(folder, "config.yaml")
    writeFileSync(
      config,
      [
        `beacon_api: ${beaconApi}`,
        `database_path: ${join(folder, "dasmon.db")}`,
        `event_log_file: ${names.log}`,
        "event_log_max_size: 4GiB",
        "http_addr: 127.0.0.1:0",
        `discovery: { discv5: false, beacon_peers: false, enr_file: ${names.enrs} }`,
        ...settings
      ].join("\n")
    )
    const preload = fileURLToPath(new URL("./TellVitals.js", import.meta.url))
    const child = yield* start(["run", "--config", config], ["--expose-gc", "--import", preload], {
      [vitalsFile]: names.vitals
    })
    const [, url = ""] = yield* child.printed(/open (http:\S+)/, "2 minutes")
    const status = Effect.tryPromise(async () => (await fetch(`${url}/status`)).text()).pipe(
      Effect.timeout("20 seconds"),
      Effect.flatMap(Schema.decode(Schema.parseJson(Status)))
    )
    const look = Effect.gen(function* () {
      yield* Effect.sync(() => rmSync(names.vitals, { force: true }))
      yield* child.signal("SIGUSR2")
      const vitals = yield* Effect.try(() => readFileSync(names.vitals, "utf8")).pipe(
        Effect.flatMap(Schema.decode(OwnVitals)),
        Effect.retry(Schedule.spaced("100 millis")),
        Effect.timeout("30 seconds")
      )
      const { peakMiB, rssMiB } = vitalsOf(child.pid)
      return { ...vitals, rssMiB, peakMiB }
    })
    return {
      until: (enough, limit) =>
        status.pipe(
          Effect.filterOrFail(enough, () => "not yet"),
          Effect.retry(Schedule.spaced("1 second")),
          Effect.timeout(limit),
          Effect.mapError(
            (error) =>
              new MonitoredError({ message: `${String(error)}:\n${child.output().slice(-2000)}\n${child.errors()}` })
          )
        ),
      look,
      log: names.log
    }
  })
