import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { eventually } from "../Eventually.ts"
import { assertFair, watchDevnet } from "./Watched.ts"

const looksIn = (metrics: string, result: string): number =>
  Number(new RegExp(`^dasmon_second_looks_total\\{result="${result}"\\} (\\d+)`, "m").exec(metrics)?.[1] ?? 0)

describe("identities: 2", () => {
  it.scopedLive("finds out who serves the monitor alone, and alarms nobody else", () =>
    Effect.gen(function* () {
      const watched = yield* watchDevnet({
        peers: "honest:3,serves-one,withhold,truncate,bare-codes,restarting,backfilling,growing",
        seed: 31,
        config: ["identities: 2", "metrics: { enabled: true, port: 0 }"]
      })
      const { home, profileOf, program, snapshot } = watched
      const [, metricsUrl = ""] = yield* program.printed(/metrics at (http:\S+)/, "20 seconds")
      const metrics = Effect.promise(async (signal) => (await fetch(metricsUrl, { signal })).text())
      yield* eventually(
        Effect.gen(function* () {
          const { peers } = yield* snapshot
          const alarmed = peers.filter(({ findings }) => (findings.serves_by_asker ?? 0) > 0)
          assert.deepStrictEqual(
            alarmed.map(({ peerId }) => profileOf(peerId)),
            ["serves-one"]
          )
          // To the first identity nothing is lacking: it is not accused, and what it does is said all the same.
          assert.deepStrictEqual(
            alarmed.map(({ verdict }) => verdict),
            ["compliant"]
          )
          const told = yield* metrics
          assert.isAtLeast(looksIn(told, "agreed"), 5)
          assert.strictEqual(looksIn(told, "disagreed"), alarmed[0]?.findings.serves_by_asker)
        }),
        "3 minutes",
        "500 millis"
      )
      const keys = ["dasmon.db.key", "dasmon.db.key.second"].map((name) => join(home, name))
      assert.deepStrictEqual(
        keys.map((path) => statSync(path).mode & 0o777),
        [0o600, 0o600]
      )
      assert.lengthOf(new Set(keys.map((path) => readFileSync(path, "utf8"))), 2)
      const events = yield* watched.finish
      assertFair(watched, events, (profile) => profile !== "withhold")
      const alarms = events.flatMap((event) =>
        event._tag === "CustodyUpdate"
          ? event.findings
              .filter(({ kind }) => kind === "serves_by_asker")
              .map(({ detail }) => ({ profile: profileOf(event.peerId), detail }))
          : []
      )
      assert.isAtLeast(alarms.length, 1)
      for (const { detail, profile } of alarms) {
        assert.strictEqual(profile, "serves-one")
        assert.match(detail, /^column \d+ of slot \d+ .*came, verified, to the first identity, and not to the second/)
      }
      assert.match(program.errors(), /level=WARN .*a peer answers our two identities differently: column/)
    })
  )
})
