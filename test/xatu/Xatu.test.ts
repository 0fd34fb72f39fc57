import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric, Option } from "effect"
import * as Metrics from "../../src/domain/metrics/Metrics.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { Transport } from "../../src/xatu/shipping/Transport.ts"
import * as Xatu from "../../src/xatu/Xatu.ts"
import { makeFakeDasmon, trappedProbe } from "../http/FakeDasmon.ts"
import { peerA, probeOfSlots, tempFolder, xatuConfig } from "./Fixture.ts"
import { eventually } from "../Eventually.ts"

const sent = Effect.map(Metric.value(Metrics.xatuSent), ({ count }) => count)

describe("Xatu", () => {
  it.scopedLive("goes on after a defect where events are taken in, and after one where they are sent", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const trap = yield* Effect.once(Effect.dieMessage("an injected defect"))
      const transport = Layer.succeed(Transport, {
        name: "a server",
        send: () => Effect.as(trap, Option.none<number>())
      })
      yield* Layer.build(
        Xatu.layerOver(xatuConfig({ address: "127.0.0.1:1" }), { version: "1", spillFolder: yield* tempFolder }).pipe(
          Layer.provide([fake.layer, transport, NodeFileSystem.layer])
        )
      )
      const before = yield* sent
      const { arm, probe } = trappedProbe(peerA)
      yield* fake.publish({ _tag: "Sampling", probe, conversation: "answered", coverage: null })
      yield* arm
      yield* fake.publish({ _tag: "Sampling", probe: probeOfSlots(1, 20), conversation: "answered", coverage: null })
      yield* eventually(Effect.map(sent, (count) => count - before === 20))
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 2)
    }).pipe(Effect.provide(Daemons.layer))
  )
})
