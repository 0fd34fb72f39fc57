import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Logger, LogLevel, Option } from "effect"
import { devnetParameters } from "../../../../src/devnet/DevnetParameters.ts"
import { makeBeaconHttp } from "../../../../src/host/beacon-api/BeaconHttp.ts"
import { makeBeaconNode } from "../../../../src/host/beacon-api/BeaconNode.ts"
import { makeMember } from "../../../../src/host/beacon-api/nodes/Member.ts"
import { makePoolReport } from "../../../../src/host/beacon-api/nodes/PoolReport.ts"
import { Doubts } from "../../../../src/runtime/Doubts.ts"

describe("what is told of beacon nodes", () => {
  it.effect("is nothing of one that was not looked at yet, and all of one that was not reached", () => {
    const warnings: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === LogLevel.Warning) warnings.push(String(message))
    })
    return Effect.gen(function* () {
      const http = yield* makeBeaconHttp({ url: "http://127.0.0.1:1", timeout: Duration.seconds(1), concurrency: 1 })
      const node = yield* makeBeaconNode(http, devnetParameters(1, 1000, 1), false)
      const [first, second] = [makeMember(node, "main", 0, 0), makeMember(node, "main", 1, 0)]
      const report = yield* makePoolReport([first, second])
      const none = { headSlot: Option.none(), finalized: Option.none() }
      second.take({ ...none, condition: "well", reason: Option.none() }, 1)
      yield* report.settled(1)
      assert.deepStrictEqual(warnings, [])
      first.take({ ...none, condition: "unreachable", reason: Option.some("it is away") }, 2)
      yield* report.settled(2)
      assert.deepStrictEqual(warnings, ["the beacon node http://127.0.0.1:1 is not reached: it is away"])
    }).pipe(
      Effect.provide([NodeHttpClient.layerUndici, Doubts.layer]),
      Effect.provide(Logger.replace(Logger.defaultLogger, logger))
    )
  })
})
