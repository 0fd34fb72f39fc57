import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, SubscriptionRef } from "effect"
import { layer } from "../../src/cli/TellOwnRecord.ts"
import { OwnRecord, ownRecordOf, type OwnRecordState } from "../../src/discovery/record/OwnRecord.ts"
import { eventually } from "../Eventually.ts"

describe("what we are reached at", () => {
  it.scopedLive("is told when it is known, and when it is another, and not else", () =>
    Effect.gen(function* () {
      const state: OwnRecordState = { enr: "enr:-a", sequence: 1n, advertised: [], observed: [] }
      const ref = yield* SubscriptionRef.make(state)
      const lines: Array<string> = []
      const told = layer((line) => Effect.sync(() => void lines.push(line)))
      yield* Layer.build(Layer.provide(told, Layer.succeed(OwnRecord, ownRecordOf(ref))))
      yield* eventually(() => lines.length === 1)
      yield* SubscriptionRef.set(ref, { ...state, observed: [{ address: "/ip4/203.0.113.7/udp/1", votes: 1 }] })
      const advertised = ["/ip4/203.0.113.7/tcp/9000"]
      yield* SubscriptionRef.set(ref, { ...state, enr: "enr:-b", advertised })
      yield* eventually(() => lines.length === 2)
      assert.deepStrictEqual(lines, [
        "discv5 runs; what we are reached at is not known yet (ENR: enr:-a)",
        "reached at /ip4/203.0.113.7/tcp/9000 (ENR: enr:-b)"
      ])
    })
  )
})
