import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Logger, LogLevel, Predicate } from "effect"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { clockOffset } from "../../../src/host/beacon-api/ClockOffset.ts"
import { epochOf } from "../../../src/domain/network/Chain.ts"
import { devEnr } from "../../../src/devnet/discv5/DevEnr.ts"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { Doubts } from "../../../src/runtime/Doubts.ts"
import { shared } from "../../Shared.ts"
import { SharedChain } from "./Chain.ts"
import { fakeNode, json } from "./FakeNode.ts"

interface Habits {
  /** Put over the configuration that the devnet's node says. */
  readonly spec?: Readonly<Record<string, unknown>>
  /** By how much the node's clock is ahead, in milliseconds. */
  readonly clockMs?: number
}

/** A node of the devnet with such habits: what is doubted of it at the start, what is logged, and the API. */
const meet = ({ clockMs = 0, spec = {} }: Habits) =>
  Effect.gen(function* () {
    const { chain, state, url } = yield* SharedChain
    const { parameters } = chain
    const epoch = epochOf(parameters, state.head.slot)
    const enr = devEnr(parameters, identityOf(1, "beacon node").privateKey, {
      ports: {},
      epoch,
      custodyGroupCount: 4
    }).encodeTxt()
    const said = yield* Effect.promise(() => fetch(`${url}/eth/v1/config/spec`).then((answer) => answer.json()))
    const data = Predicate.hasProperty(said, "data") && Predicate.isRecord(said.data) ? said.data : {}
    const node = yield* fakeNode({
      upstream: url,
      handle: (path, _, response) => {
        response.setHeader("date", new Date(Date.now() + clockMs).toUTCString())
        if (path === "/eth/v1/config/spec") json(response, { data: { ...data, ...spec } })
        else if (path === "/eth/v1/node/identity") json(response, { data: { enr } })
        else return false
        return true
      }
    })
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) logged.push(String(message))
    })
    const context = yield* Layer.build(
      BeaconApi.layer({ url: node.url }).pipe(
        Layer.provideMerge(Layer.merge(Doubts.layer, Logger.replace(Logger.defaultLogger, logger)))
      )
    )
    const doubts = yield* Context.get(context, Doubts).all
    return { api: Context.get(context, BeaconApi), doubts, logged, name: node.url, parameters }
  })

shared("a beacon node that is not taken at its word", SharedChain.layer, (it) => {
  it.live("is not doubted when all that it says agrees", () =>
    Effect.gen(function* () {
      const { api, doubts, logged, parameters } = yield* meet({})
      assert.deepStrictEqual([api.chain, doubts, logged], [parameters, [], []])
    })
  )

  it.live("has two slot durations: the one by which its head is of this time is taken, and that is said", () =>
    Effect.gen(function* () {
      const { api, doubts, logged, name, parameters } = yield* meet({ spec: { SLOT_DURATION_MS: "12000" } })
      assert.deepStrictEqual([api.chain, doubts], [parameters, []])
      assert.lengthOf(logged, 1)
      assert.include(logged[0], `${name}: it says SLOT_DURATION_MS 12000 and SECONDS_PER_SLOT 3600`)
    })
  )

  it.live("lost its blob schedule, which its own record shows: nobody is judged by it", () =>
    Effect.gen(function* () {
      const { doubts, logged } = yield* meet({ spec: { BLOB_SCHEDULE: [] } })
      assert.lengthOf(doubts, 1)
      assert.match(doubts.join(), /its own node record has 0x[0-9a-f]{8} \(an empty BLOB_SCHEDULE\)/)
      assert.deepStrictEqual(logged, [`in doubt: ${doubts.join()}`])
    })
  )

  it.live("has another time than we have", () =>
    Effect.gen(function* () {
      const behind = yield* meet({ clockMs: 3_600_000 })
      assert.match(behind.doubts.join(), /^the clock of this machine is (1h|59m 5\ds) behind that of the beacon node/)
      const ahead = yield* meet({ clockMs: -20_000 })
      assert.match(ahead.doubts.join(), /^the clock of this machine is (19|2\d)s ahead of that of the beacon node/)
      assert.deepStrictEqual(ahead.logged, [`in doubt: ${ahead.doubts.join()}`])
    })
  )

  it.live("is held to what its date proves: whole seconds, on their way for a while", () =>
    Effect.sync(() => {
      const offset = (said: number, asked: number, answered: number) => clockOffset({ said, asked, answered })
      assert.strictEqual(offset(10_000, 10_999, 11_100), 0)
      assert.strictEqual(offset(10_000, 9_000, 10_000), 0)
      assert.strictEqual(offset(10_000, 2_000, 4_000), 6_000)
      assert.strictEqual(offset(10_000, 2_000, 12_000), 0)
      assert.strictEqual(offset(10_000, 20_000, 20_100), -9_000)
    })
  )
})
