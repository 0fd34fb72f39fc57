import { assert } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { Clock, Duration, Effect, Fiber, Layer, TestClock, TestContext } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { eventually } from "../Eventually.ts"
import { shared } from "../Shared.ts"
import { ask, due, failedChecks, labels, layerStranger, Stranger } from "./Stranger.ts"

const layer = layerStranger({
  peers: ["bomb", "all-wrong", "drip", "restless"],
  slotDuration: Duration.seconds(1),
  seed: 17
}).pipe(
  Layer.provide(Layer.effectDiscard(TestClock.setTime(1_800_000_000_000))),
  Layer.provideMerge(TestContext.TestContext)
)

/** Old slots, of one fork digest. */
const start = 100
const count = 4

shared("peers that cost whoever asks them", layer, (it) => {
  it.live("bomb: sidecars of 4,096 cells, in sound frames and with the right header", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const expected = yield* blocks(start, count)
      const heard = yield* range(peer("bomb"), start, count)
      assert.strictEqual(heard.end, "end")
      assert.deepStrictEqual(labels(heard), due(expected, yield* columnsOf(peer("bomb"))))
      const [first] = heard.chunks
      const sidecar = ssz.fulu.DataColumnSidecar.deserialize(first?.ssz ?? new Uint8Array())
      assert.lengthOf(sidecar.column, 4096)
      assert.lengthOf(sidecar.kzgCommitments, 4096)
      assert.lengthOf(sidecar.kzgProofs, 4096)
      const { message } = sidecar.signedBlockHeader
      assert.strictEqual(toHex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(message)), expected[0]?.root)
    })
  )

  it.live("all-wrong: no cell of any column is sound, and all the rest is", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const expected = yield* blocks(start, count)
      const columns = yield* columnsOf(peer("all-wrong"))
      const sound = due(expected, columns)
      const heard = yield* range(peer("all-wrong"), start, count)
      assert.deepStrictEqual(labels(heard), sound)
      for (const [index, { ssz: bytes }] of heard.chunks.entries()) {
        const block = expected[Math.floor(index / columns.length)]
        assert.isDefined(block)
        assert.deepStrictEqual(failedChecks(bytes, block), ["kzg"])
      }
    })
  )

  it.live("drip: one sidecar at once, and the others nine seconds after each other", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, greet, peer } = yield* Stranger
      const columns = yield* columnsOf(peer("drip"))
      const [block] = yield* blocks(start, count)
      assert.isDefined(block)
      const connection = yield* greet(peer("drip"))
      const started = yield* Clock.currentTimeMillis
      const asked = yield* Effect.fork(ask(connection, columnsByRange({ startSlot: block.slot, count: 1, columns })))
      const isDone = Effect.map(Fiber.poll(asked), ({ _tag }) => _tag === "Some")
      yield* eventually(Effect.zipRight(TestClock.adjust("1 second"), isDone), "60 seconds", "20 millis")
      const heard = yield* Fiber.join(asked)
      assert.deepStrictEqual(labels(heard), due([block], columns))
      assert.isAtLeast((yield* Clock.currentTimeMillis) - started, (columns.length - 1) * 9000)
    })
  )

  it.live("restless: another claim at every look, and it keeps all of them", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const restless = peer("restless")
      const claims = yield* Effect.replicateEffect(restless.claim, 40)
      assert.strictEqual(new Set(claims.map((claim) => JSON.stringify(claim))).size, 40)
      for (const claim of claims.slice(1)) assert.isAbove(claim.sequenceNumber, claims[0]?.sequenceNumber ?? 0)
      const columns = yield* columnsOf(restless)
      const whole = new Set(labels(yield* range(restless, start, count)))
      for (const label of due(yield* blocks(start, count), columns)) assert.isTrue(whole.has(label), label)
    })
  )
})
