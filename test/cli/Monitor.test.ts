import { assert, describe, it } from "@effect/vitest"
import { Console, Context, Effect, Layer, Logger, Schedule, Stream } from "effect"
import { vi } from "vitest"
import * as ChainCommitments from "../../src/chain/ChainCommitments.ts"
import * as Monitor from "../../src/cli/Monitor.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { Dasmon } from "../../src/Dasmon.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import { Reports } from "../../src/history/report/Reports.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import { Recoverer } from "../../src/kzg/Recoverer.ts"
import { Verifier } from "../../src/kzg/Verifier.ts"
import { daemon } from "../../src/runtime/Daemon.ts"
import { makeChain } from "../domain/network/Chains.ts"
import { get } from "../http/Client.ts"
import { eventually } from "../Eventually.ts"

/** A host with a daemon of its own, whose code is broken for as long as `isIll` says so. */
const hostOf = (isIll: () => boolean) => {
  const work = Effect.suspend(() => (isIll() ? Effect.dieMessage("no radio") : Effect.void))
  return Layer.scopedContext(
    Effect.gen(function* () {
      yield* daemon("the host's own work", work, Schedule.spaced("1 minute"))
      const host = yield* Host
      return Context.make(Host, host)
    })
  ).pipe(
    Layer.provide(
      Layer.mock(Host, {
        peerId: "",
        multiaddrs: [],
        connected: Effect.succeed([]),
        events: Effect.succeed(Stream.never)
      })
    ),
    Layer.merge(
      Layer.mock(Externs, {
        chain: makeChain({}),
        chainHead: Effect.succeed({ slot: 0, root: "0x" }),
        chainQuery: () => Effect.succeed([]),
        chainEvents: Stream.execute(work)
      })
    )
  )
}

/** The engine over memory; everything else as the program composes it. */
const engineOver = (config: Parameters<typeof Dasmon.layerOver>[0], isIll: () => boolean) =>
  Dasmon.layerOver(config, { simulated: true }).pipe(
    Layer.provide([
      ChainCommitments.layer({ window: "1 hour", mode: "off" }),
      MemoryHistory.layer,
      MemoryEvidence.layer(),
      MemoryEventBus.layer(),
      Reports.layerNone,
      Layer.mock(Verifier, {}),
      Layer.mock(Recoverer, {})
    ]),
    Layer.provide(hostOf(isIll))
  )

/** What is printed, and a console that prints it there. */
const captured = Effect.gen(function* () {
  const printed: Array<string> = []
  const console = yield* Console.consoleWith(Effect.succeed)
  return {
    printed,
    console: { ...console, log: (line: unknown) => Effect.sync(() => void printed.push(String(line))) }
  }
})

describe("the monitor as a program", () => {
  it.scopedLive(
    "tells in /healthz of daemons that fail in the host, the chain and the HTTP part, and counts them",
    () =>
      Effect.gen(function* () {
        let isIll = true
        const memory = vi.spyOn(process, "memoryUsage")
        yield* Effect.addFinalizer(() => Effect.sync(() => memory.mockRestore()))
        memory.mockImplementation(() => {
          throw new Error("no memory")
        })
        const config = yield* makeConfig({ httpAddr: "127.0.0.1:0", metrics: { enabled: true, port: 0 } })
        const { console, printed } = yield* captured
        const program = Monitor.layerOver(
          config,
          { simulated: true, note: () => "" },
          engineOver(config, () => isIll)
        )
        yield* Effect.withConsole(Layer.build(program), console)
        const url = /^open (http:\S+)/.exec(printed.find((line) => line.startsWith("open")) ?? "")?.[1] ?? ""

        const health = yield* eventually(
          Effect.map(get(`${url}/healthz`), (health) => health.text.split("tried again").length === 4 && health)
        )
        assert.strictEqual(health.status, 503)
        // Everyone may ask.
        assert.notInclude(health.text, "no radio")
        const reasons: ReadonlyArray<string> = JSON.parse(health.text).reasons
        assert.deepStrictEqual(
          reasons.map((reason) => reason.replace(/ has failed .*/, "")),
          ["following of the chain", "metrics of the process", "the host's own work"]
        )
        const { defects } = JSON.parse((yield* get(`${url}/status`)).text)
        assert.isAtLeast(defects, 3)

        isIll = false
        memory.mockRestore()
        yield* eventually(Effect.map(get(`${url}/healthz`), ({ status }) => status === 200))
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})
