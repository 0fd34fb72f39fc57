import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, TestClock } from "effect"
import * as Narrator from "../../src/cli/Narrator.ts"
import type { Outcome } from "../../src/domain/probe/Job.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { makeFakeDasmon, peerOf, probeOf, statusOf } from "../http/FakeDasmon.ts"

const outcome = (slot: number, more: Partial<Outcome>): Outcome => ({
  slot,
  column: 3,
  outcome: "success",
  blockRoot: "0x00",
  blobs: 1,
  ...more
})

describe("what a person is told", () => {
  it.scoped("the first suspicion of a peer, who escapes, and what recovers", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const peer = peerOf("peer-1", { suspicions: 2, verdict: "evasive" })
      yield* fake.setPeers([peer])
      const printed: Array<string> = []
      const options = {
        note: () => "",
        print: (line: string) => Effect.sync(() => void printed.push(line)),
        everySlot: false,
        summaryInterval: Duration.minutes(1)
      }
      yield* Layer.build(Narrator.layer(options).pipe(Layer.provide(fake.layer)))
      const sampling = (outcomes: ReadonlyArray<Outcome>, recovered = 0) =>
        fake.publish({
          _tag: "Sampling",
          probe: probeOf("peer-1", { outcomes, recovered }),
          conversation: "answered",
          coverage: null
        })
      const suspected = {
        outcome: "suspected",
        suspicion: "missing",
        reason: "suspected (missing), to be asked for again: gone"
      } as const
      yield* sampling([outcome(1, suspected), outcome(2, { ...suspected, reason: "left out too" })])
      yield* sampling([outcome(3, suspected)])
      yield* sampling([outcome(1, {})], 1)
      yield* fake.publish({ _tag: "NodeTracking", change: "verdict", detail: "", peerId: "peer-1", peer })
      yield* TestClock.adjust("1 minute")
      const told = printed.map((line) => line.split(/ {2,}/).slice(1))
      assert.deepStrictEqual(told.slice(0, -1), [
        ["suspected", "Lighthouse …peer-1", "missing, to be asked for again: gone"],
        ["recovered", "Lighthouse …peer-1", "1 column that had failed came now, verified"],
        ["EVASIVE", "Lighthouse …peer-1", "it escapes the questions that would settle what it left out"]
      ])
      assert.strictEqual(printed.at(-1), "── 1 peers: 1 evasive; 0 columns verified, 2 suspected")
      const commitments = { known: 53_740, wanted: 131_072, oldest: 1, unknown: 0 }
      const filling = { mode: "background", stage: "filling", slotsPerSecond: 300, stored: 50_000 } as const
      yield* fake.setStatus(statusOf({ commitments, backfill: { ...filling, secondsLeft: 257 } }))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(
        printed.at(-1),
        "── 1 peers: 1 evasive; 0 columns verified, 2 suspected; ground truth: 41% (53740 of 131072 slots, about 5m left)"
      )
      yield* fake.setStatus(statusOf({ commitments, backfill: { ...filling, stage: "restoring", secondsLeft: null } }))
      yield* TestClock.adjust("1 minute")
      assert.match(printed.at(-1) ?? "", /; ground truth read from disk: 41% \(53740 of 131072 slots\)$/)
    }).pipe(Effect.provide(Daemons.layer))
  )
})
