import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Duration, Effect, Schedule, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { type ProfileName, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { DevnetAnnouncement } from "../../src/devnet/RunDevnet.ts"
import { ChildFailed, start } from "./Child.ts"

export const startLimit = Duration.minutes(3)

/** A folder for files that goes with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-soak-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A devnet in a process of its own, with the profiles of its peers; `options` as its command line has them. */
export const startDevnet = (options: string) =>
  Effect.gen(function* () {
    const devnet = yield* start(["devnet", ...options.split(" ")])
    const [line] = yield* devnet.printed(/^\{.*\}$/m, startLimit)
    const network = yield* Schema.decode(Schema.parseJson(DevnetAnnouncement))(line)
    const profiles = new Map(
      network.peers.flatMap(({ peerId, profile }): ReadonlyArray<readonly [string, ProfileName]> => {
        const known = profileNames.find((name) => name === profile)
        return known === undefined ? [] : [[peerId, known]]
      })
    )
    return { network, profiles }
  })

/** The data of `GET url`, which may take some attempts. */
export const getJson = (url: string): Effect.Effect<unknown, ChildFailed> =>
  Effect.tryPromise(async (signal): Promise<unknown> => {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]) })
    return response.json()
  }).pipe(
    Effect.retry(Schedule.intersect(Schedule.spaced("1 second"), Schedule.recurs(10))),
    Effect.mapError((error) => new ChildFailed({ message: `${url}: ${String(error)}` }))
  )

export const snapshotOf = (url: string) =>
  Effect.flatMap(getJson(`${url}/snapshot`), Schema.decodeUnknown(Snapshot)).pipe(
    Effect.mapError((error) => new ChildFailed({ message: `${url}/snapshot: ${String(error)}` }))
  )
