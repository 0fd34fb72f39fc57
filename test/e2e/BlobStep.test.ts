import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import type { Event } from "../../src/domain/Event.ts"
import { epochStart, slotStart } from "../../src/domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"
import { eventsOf } from "./EventLines.ts"
import { temporaryFolder } from "./Network.ts"
import { start } from "./Program.ts"

const slotMs = 500
const historyEpochs = 8

describe("a step of the blob limit", () => {
  it.scopedLive("is crossed by the running program: no peer is lost, and the columns on both sides verify", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      // Far enough away that the program is at work by then.
      const nextBlobStep = Math.ceil(scaledMs("40 seconds") / (32 * slotMs))
      const { beaconApi, parameters, peers } = yield* makeDevnet({
        peers: ["honest", "supernode"],
        seed: 12,
        slotDuration: Duration.millis(slotMs),
        historyEpochs,
        nextBlobStep
      })
      const step = epochStart(parameters, historyEpochs + nextBlobStep)
      assert.notStrictEqual(forkDigestOfSlot(parameters, step - 1), forkDigestOfSlot(parameters, step))
      const enrs = yield* Effect.forEach(peers, ({ enr }) => enr)
      const log = join(home, "events.ndjson")
      const program = yield* start([
        "run",
        `--beacon-api=${beaconApi}`,
        `--peers=${enrs.join(",")}`,
        "--http-addr=127.0.0.1:0",
        `--database-path=${join(home, "dasmon.db")}`,
        `--event-log-file=${log}`,
        "--test-interval=500ms",
        "--peer-refresh-interval=1s",
        `--block-filter-start-slot=${step - 32}`
      ])
      yield* program.printed(/open http/, "60 seconds")

      const outcomesOf = (events: ReadonlyArray<Event>, peerId: string) =>
        events.flatMap((event) =>
          event._tag === "Sampling" && event.probe.job.peerId === peerId ? event.probe.outcomes : []
        )
      const events = yield* eventually(
        Effect.sync(() => {
          const events = eventsOf(log)
          const isDone = peers.every(({ peerId }) => {
            const slots = outcomesOf(events, peerId).map(({ slot }) => slot)
            return slots.some((slot) => slot < step) && slots.some((slot) => slot >= step)
          })
          return isDone ? events : false
        }),
        Duration.millis(slotStart(parameters, step) - Date.now() + 60_000),
        "500 millis"
      )
      for (const { peerId } of peers) {
        const moves = events.flatMap((event) =>
          event._tag === "NodeTracking" && event.peerId === peerId && event.change !== "verdict" ? [event] : []
        )
        assert.deepStrictEqual(
          moves.map(({ change }) => change),
          ["tracked", "connected"]
        )
        assert.isBelow(moves.at(-1)?.timestamp ?? Infinity, slotStart(parameters, step))
        assert.isTrue(outcomesOf(events, peerId).every(({ outcome }) => outcome === "success"))
      }
      const findings = events.flatMap((event) => (event._tag === "Sampling" ? event.probe.findings : []))
      assert.deepStrictEqual(findings, [])
      yield* program.signal("SIGTERM")
      assert.strictEqual((yield* program.exited("20 seconds"))[0], 0, program.errors())
    })
  )
})
