import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { FetchHttpClient, HttpApiClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { noOutcomes, addOutcomes, type OutcomeCounts } from "../../src/domain/probe/Outcome.ts"
import { Api } from "../../src/http/api/Api.ts"
import { start } from "./Program.ts"
import { scaledMs } from "../TimeLimits.ts"
import { eventually } from "../Eventually.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

const sum = (counts: ReadonlyArray<{ readonly outcomes: OutcomeCounts }>): OutcomeCounts =>
  counts.reduce((total, { outcomes }) => addOutcomes(total, outcomes), noOutcomes)

/** Runs a script in a shell; gives what it printed. */
const shell = (script: string) =>
  Effect.async<string, Error>((resume) => {
    const child = execFile("sh", ["-ec", script], { timeout: scaledMs("60 seconds") }, (error, stdout) =>
      resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
    )
    return Effect.sync(() => void child.kill("SIGKILL"))
  })

describe("the API of the running program", () => {
  it.scopedLive(
    "answers every question as described, its numbers agree, and the README's commands work as written",
    () =>
      Effect.gen(function* () {
        const program = yield* start([
          "--http-addr",
          "127.0.0.1:0",
          "--peers",
          "supernode:1,honest:1,withhold:1",
          "--seed",
          "6"
        ])
        const [, base = ""] = yield* program.printed(/open (http:\S+)/, "90 seconds")
        const api = yield* HttpApiClient.make(Api, { baseUrl: base })
        const violating = api.peers({ urlParams: { verdict: "violating" } })
        const compliant = api.peers({ urlParams: { verdict: "compliant", connected: true } })
        yield* eventually(
          Effect.map(
            Effect.all([violating, compliant]),
            ([violating, compliant]) => violating.total === 1 && compliant.total === 2
          ),
          "60 seconds",
          "200 millis"
        )

        // Between the ends of two probes, and once what was recorded is on disk, everything that counts says the same.
        const agreeing = Effect.gen(function* () {
          const before = yield* api.status()
          const { peers, total } = yield* api.peers({ urlParams: {} })
          const byClient = yield* api.report({ urlParams: {} })
          const byDay = yield* api.report({ urlParams: { by: "day", since: Duration.days(2) } })
          const clients = yield* api.clients({ urlParams: {} })
          const { columns } = yield* api.columns({ urlParams: { since: Duration.hours(1) } })
          const snapshot = yield* api.snapshot()
          const after = yield* api.status()
          const counted = [peers, snapshot.peers, clients.clients, clients.versions, columns].map(sum)
          const reported = [byClient, byDay].map((report) =>
            report.by === "client" || report.by === "day" ? sum([...report.rows]) : noOutcomes
          )
          assert.strictEqual(before.probes.completed, after.probes.completed)
          for (const count of [...counted, ...reported]) assert.deepStrictEqual(count, after.outcomes)
          return { after, total }
        })
        const { after, total } = yield* eventually(agreeing, "60 seconds", "100 millis")
        assert.isAbove(after.outcomes.missing, 0)
        const { connected, passedOver, tracked, verdicts } = after.peers
        assert.deepStrictEqual([total, tracked, connected, passedOver], [3, 3, 3, 0])
        assert.deepInclude(verdicts, { compliant: 2, violating: 1 })

        const [withholder] = (yield* violating).peers
        const peerId = withholder?.peerId ?? ""
        const probed = yield* api.probeNow({ path: { peerId } })
        assert.strictEqual(probed.job.peerId, peerId)
        const listed = yield* eventually(
          Effect.map(
            api.probes({ urlParams: { peer: peerId, limit: 1 } }),
            (page) => page.probes[0]?.id === probed.id && page
          )
        )
        assert.isNotNull(listed.next)
        assert.deepStrictEqual(yield* api.probe({ path: { id: probed.id } }), probed)
        const detail = yield* api.peer({ path: { peerId } })
        assert.deepInclude(detail, { tracked: true, connected: true, verdict: "violating" })
        assert.deepStrictEqual([detail.claims.length, detail.days.length], [1, 1])
        assert.include(["missing", "suspected"], detail.failures[0]?.outcome)
        assert.isNotNull(detail.coverage?.withheld)

        const failure = detail.failures.find(({ outcome }) => outcome === "missing")
        const slot = yield* api.slot({ path: { slot: failure?.slot ?? 0 }, urlParams: { limit: 5 } })
        assert.strictEqual(slot.canonical._tag === "Block" ? slot.canonical.root : "", slot.blocks[0]?.root)
        assert.isAbove(slot.columns[failure?.column ?? 0]?.failed ?? 0, 0)
        const future = yield* api.slot({ path: { slot: 2 ** 31 }, urlParams: {} })
        assert.strictEqual(future.canonical._tag, "Unknown")
        assert.deepStrictEqual([(yield* api.healthz()).status, (yield* api.readyz()).status], ["alive", "ready"])

        const block = [...readme.matchAll(/^```sh\n([^`]*?curl (?:[^`]|`(?!``))*?)^```$/gm)]
          .map(([, code]) => code)
          .join("")
        const lines = block.split("\n").filter((line) => /^(?:peer=|curl -s )/.test(line))
        assert.isAtLeast(lines.length, 13)
        const named = lines.find((line) => line.startsWith("peer=")) ?? ""
        for (const line of lines.filter((line) => line !== named)) {
          const script = `${named}\n${line}`.replaceAll("http://127.0.0.1:9090", base)
          const answer: unknown = JSON.parse(yield* shell(script))
          assert.notProperty(answer, "_tag", line)
        }

        // curl ends a stream with an error when its time is over.
        const streams = block.split("\n").filter((line) => line.startsWith("curl -sN "))
        assert.isAtLeast(streams.length, 2)
        for (const line of streams) {
          const script = line.replaceAll("http://127.0.0.1:9090", base).replace(/ {2,}#.*| {2,}# .*/, "")
          const said = yield* shell(`${script.replace("--max-time 10", "--max-time 3")} || test $? = 28`)
          assert.match(said, /^event: (Snapshot|Sampling)$/m, line)
          assert.match(said, /^data: \{"_tag":"(Snapshot|Sampling)"/m, line)
        }

        yield* program.signal("SIGINT")
        assert.deepStrictEqual([(yield* program.exited("10 seconds"))[0], program.errors()], [0, ""])
      }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
