import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fateOf } from "../../scripts/soak/Judge.ts"
import { eventually } from "../Eventually.ts"
import { type BeaconProxy, makeBeaconProxy } from "./BeaconProxy.ts"
import { startNetwork, temporaryFolder } from "./Network.ts"
import { metricsOf, start } from "./Program.ts"
import { assertFair, patiently, type Watched, watchDevnet, whenJudged } from "./Watched.ts"

/** The program over two stand-ins before the devnet's Beacon API. */
const overTwo = (seed: number, prepare: (first: BeaconProxy, second: BeaconProxy) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const proxies: Array<BeaconProxy> = []
    const watched = yield* watchDevnet({
      peers: "honest:3,withhold,corrupt-cell",
      seed,
      through: (beaconApi) =>
        Effect.gen(function* () {
          const first = yield* makeBeaconProxy(beaconApi)
          const second = yield* makeBeaconProxy(beaconApi)
          yield* prepare(first, second)
          proxies.push(first, second)
          return [first.url, second.url]
        }),
      config: ["metrics: { enabled: true, port: 0 }"]
    })
    const [first, second] = proxies
    if (first === undefined || second === undefined) return yield* Effect.dieMessage("no stand-ins")
    const readiness = Effect.promise(async (signal) => {
      const response = await fetch(`${watched.base}/readyz`, { signal })
      return { status: response.status, text: await response.text() }
    })
    return { watched, first, second, readiness }
  })

const conditions = (watched: Watched) =>
  Effect.map(watched.snapshot, ({ status }) =>
    status.beaconNodes.map(({ condition, inUse }) => (inUse ? `${condition}*` : condition))
  )

const until = (watched: Watched, expected: ReadonlyArray<string>) =>
  eventually(
    Effect.map(conditions(watched), (now) => assert.deepStrictEqual(now, expected)),
    "1 minute"
  )

describe("the program over two beacon nodes", () => {
  it.scopedLive("fails over and back, keeps its peers without any node, and judges right after it all", () =>
    Effect.gen(function* () {
      const { first, readiness, second, watched } = yield* overTwo(51, () => Effect.void)
      yield* until(watched, ["well*", "well"])
      yield* first.stop
      yield* until(watched, ["unreachable", "well*"])
      const { headSlot } = (yield* watched.snapshot).status
      yield* eventually(
        Effect.map(watched.snapshot, ({ status }) => assert.isAbove(status.headSlot, headSlot + 4)),
        "1 minute"
      )
      yield* first.start
      yield* until(watched, ["well*", "well"])
      const metric = yield* metricsOf(watched.program)
      assert.strictEqual(yield* metric("dasmon_beacon_failovers_total"), 2)
      assert.strictEqual(yield* metric("dasmon_beacon_node_in_use"), 1)

      yield* Effect.all([first.stop, second.stop])
      const alone = yield* eventually(
        Effect.tap(readiness, ({ status, text }) => {
          assert.strictEqual(status, 503)
          assert.include(text, "no beacon node can be used (1: not reached; 2: not reached)")
        }),
        "1 minute"
      )
      assert.notInclude(alone.text, "127.0.0.1")
      const before = yield* watched.snapshot
      yield* patiently(4000)
      const after = yield* watched.snapshot
      assert.strictEqual(after.status.peers.connected, before.status.peers.connected)
      assert.isAbove(after.status.peers.connected, 0)
      assert.isAtMost(after.status.probes.started - before.status.probes.started, 1)

      yield* Effect.all([first.start, second.start])
      yield* until(watched, ["well*", "well"])
      yield* whenJudged(watched)
      yield* eventually(
        Effect.map(readiness, ({ status, text }) => assert.strictEqual(status, 200, text)),
        "1 minute"
      )
      assertFair(watched, yield* watched.finish, (profile) => fateOf(profile) === "blameless")
    })
  )

  it.scopedLive("accuses nobody while they have finalized different blocks, and says so, until they agree", () =>
    Effect.gen(function* () {
      const { readiness, second, watched } = yield* overTwo(52, (_, second) => second.setForked(true))
      const disagreement = "the beacon nodes 1 and 2 have finalized different blocks"
      yield* eventually(
        Effect.map(watched.snapshot, ({ status }) => assert.include(status.doubts.join("; "), disagreement)),
        "1 minute"
      )
      const { status, text } = yield* readiness
      assert.strictEqual(status, 503)
      assert.include(text, disagreement)
      assert.include(watched.program.errors(), "two beacon nodes have finalized different chains")
      yield* patiently(8000)
      const { peers } = yield* watched.snapshot
      assert.lengthOf(
        peers.filter(({ verdict }) => verdict === "violating" || verdict === "evasive"),
        0
      )
      yield* second.setForked(false)
      yield* whenJudged(watched)
      assertFair(watched, yield* watched.finish, (profile) => fateOf(profile) === "blameless")
    })
  )
})

describe("the program without a beacon node at the start", () => {
  it.scopedLive("waits and says for what; a wrong address ends it with what is wrong", () =>
    Effect.gen(function* () {
      const home = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork("--peers honest:1 --seed 53 --slot-duration 500ms")
      const proxy = yield* makeBeaconProxy(beaconApi)
      yield* proxy.stop
      const write = (name: string, api: string) =>
        Effect.sync(() => {
          const file = join(home, `${name}.yaml`)
          const text = [
            `beacon_api: ${api}`,
            `database_path: ${join(home, `${name}.db`)}`,
            "http_addr: 127.0.0.1:0",
            "peers:",
            ...peers.map(({ enr }) => `  - ${enr}`)
          ]
          writeFileSync(file, text.join("\n"))
          return file
        })
      const waiting = yield* start(["run", "--config", yield* write("waiting", proxy.url)])
      yield* eventually(
        Effect.sync(() =>
          assert.match(waiting.errors(), /waiting for the beacon node: GET http:\S+: connect ECONNREFUSED/)
        ),
        "30 seconds"
      )
      yield* proxy.start
      yield* waiting.printed(/open http:\S+/, "60 seconds")

      const wrong = yield* start(["run", "--config", yield* write("wrong", `${beaconApi}/not/here`)])
      const [code] = yield* wrong.exited("60 seconds")
      assert.strictEqual(code, 1)
      assert.match(wrong.errors(), /HTTP 404: is this a beacon node's API\?/)
    })
  )
})
