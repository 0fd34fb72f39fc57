import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { Console, Duration, Effect, Schema } from "effect"
import { isStrict, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { start } from "./Child.ts"
import type { Result } from "./Conclude.ts"
import { complaintsIn, GuestBook } from "./GuestBook.ts"
import { getJson, snapshotOf, startDevnet, startLimit, temporaryFolder } from "./Monitor.ts"
import { followLog } from "./Story.ts"

/**
 * The monitor at its own pace, as the guest of peers that throw out whoever is not as their client's own code wants it:
 * in the end none has banned it, given it more than one strike, or sent it away, and of each something was verified.
 */
export const guestSoak = (options: {
  readonly minutes: number
  readonly seed: number
}): Effect.Effect<Result, unknown> =>
  Effect.gen(function* () {
    const { minutes, seed } = options
    const home = yield* temporaryFolder
    const strict = profileNames.filter(isStrict)
    const spec = ["honest:2", ...strict.map((name) => `${name}:2`)].join(",")
    const { network, profiles } = yield* startDevnet(`--peers ${spec} --slot-duration 2s --seed ${seed}`)
    const config = join(home, "config.yaml")
    const log = join(home, "events.ndjson")
    const text = [
      `beacon_api: ${network.beaconApi}`,
      `database_path: ${join(home, "dasmon.db")}`,
      `event_log_file: ${log}`,
      "event_log_max_size: 4GiB",
      "http_addr: 127.0.0.1:0",
      "peers:",
      ...network.peers.map(({ enr }) => `  - ${enr}`)
    ].join("\n")
    yield* Effect.sync(() => writeFileSync(config, text))
    const story = yield* followLog(log)
    const monitor = yield* start(["run", "--config", config])
    const [, url = ""] = yield* monitor.printed(/open (http:\S+)/, startLimit)
    yield* Console.log(`${profiles.size} peers have a guest, for ${minutes} minutes (seed ${seed})`)
    yield* Effect.sleep(Duration.minutes(minutes))
    const { peers, status } = yield* snapshotOf(url)
    const book = yield* Effect.flatMap(getJson(`${network.beaconApi}/devnet/accounts`), Schema.decodeUnknown(GuestBook))
    yield* monitor.signal("SIGINT")
    const exitCode = yield* monitor.exited("20 seconds")
    const { accusations, lost, probes } = yield* story

    const nameOf = (peerId: string): string => `${profiles.get(peerId) ?? "unknown"} (${peerId})`
    const problems = [
      ...complaintsIn(book),
      ...peers.flatMap(({ outcomes, peerId, verdict }) => [
        ...(verdict === "compliant" ? [] : [`${nameOf(peerId)} is honest, and ${verdict}`]),
        ...(outcomes.success > 0 ? [] : [`of ${nameOf(peerId)} nothing was verified`])
      ]),
      ...accusations.map(({ outcome, peerId }) => `${nameOf(peerId)} was accused: ${outcome}`),
      ...(peers.length === profiles.size ? [] : [`${peers.length} of ${profiles.size} peers are known in the end`]),
      ...(status.defects > 0 ? [`/status counts ${status.defects} defects`] : []),
      ...(lost > 0 ? [`${lost} events are not in the log`] : []),
      ...(exitCode === 0 ? [] : [`the monitor ended with ${exitCode}`])
    ]
    const guests = book.data.filter(({ peerId }) => profiles.has(peerId))
    const sanctions = guests.flatMap(({ sanctions }) => sanctions)
    const numbers = {
      minutes,
      seed,
      peers: profiles.size,
      probes,
      verified: status.outcomes.success,
      bans: sanctions.filter(({ kind }) => kind === "ban").length,
      strikes: sanctions.filter(({ kind }) => kind === "strike").length,
      goodbyes: sanctions.filter(({ kind }) => kind === "goodbye").length,
      accusations: accusations.length,
      lost,
      exitCode,
      problems
    }
    return { problems, table: guests.map(rowOf), numbers }
  }).pipe(Effect.scoped)

const rowOf = ({ counts, peerId, profile, sanctions }: GuestBook["data"][number]): string => {
  const did = Object.entries(counts).map(([what, count]) => `${what}: ${count}`)
  const suffered = sanctions.map(
    ({ code, kind, reason }) => `${kind}${code === undefined ? "" : ` ${code}`} (${reason})`
  )
  const shown = suffered.length > 5 ? [...suffered.slice(0, 5), `${suffered.length - 5} more`] : suffered
  return `${profile.padEnd(11)} ${peerId.slice(-6)}  ${[...did, ...shown].join(", ")}`
}
