import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Ref, TestClock } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { SlotFacts } from "../../src/domain/network/Block.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { makeJudgeColumn } from "../../src/gossip/JudgeColumn.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { type SidecarVerdict, Verifier, VerifierError } from "../../src/kzg/Verifier.ts"
import { blockFrom, canonical, columnOf, parameters, topicOf } from "./Columns.ts"

const block = blockFrom(130)
const topic = topicOf(block.slot, 7)
const message = (data: Uint8Array, from = "a") => ({ from, data, id: "" })
const good = message(columnOf(block, 7))

interface World {
  readonly head: Ref.Ref<number>
  fact: SlotFacts | undefined
  verdict: SidecarVerdict | undefined
  verified: number
}

/** A chain whose head is one slot behind the block, and a verifier that finds nothing wrong. */
const withJudge = <A, E>(
  body: (judge: Effect.Effect.Success<typeof makeJudgeColumn>, world: World) => Effect.Effect<A, E>
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(slotStart(parameters, block.slot) + 1000)
    const head = yield* Ref.make(block.slot - 1)
    const world: World = {
      head,
      fact: { _tag: "Block", block: canonical(block) },
      verdict: { _tag: "Valid" },
      verified: 0
    }
    const layer = Layer.mergeAll(
      Layer.mock(Externs, { chain: parameters }),
      Layer.mock(CommitmentCache, {
        columnSlots: () => 0,
        replacedSince: (seen) => ({ seen, blocks: [] }),
        orphan: () => Option.none(),
        headSlot: Ref.get(head),
        finalized: Effect.succeedNone,
        range: () =>
          Effect.suspend(() =>
            world.fact === undefined
              ? new ExternsError({ operation: "blocks", reason: "unreachable" })
              : Effect.succeed([world.fact])
          )
      }),
      Layer.succeed(Verifier, {
        verify: () =>
          Effect.suspend(() => {
            world.verified++
            return world.verdict === undefined
              ? new VerifierError({ reason: "no thread" })
              : Effect.succeed([world.verdict])
          })
      })
    )
    const judge = yield* Effect.provide(makeJudgeColumn, layer)
    return yield* body(judge, world)
  })

const imported = (world: World) => Ref.set(world.head, block.slot)
const wrong: SidecarVerdict = { _tag: "Invalid", check: "kzg_proof", detail: "no" }

describe("a column by gossip", () => {
  it.effect("waits for its block to be canonical, is verified against it, and then accepted", () =>
    withJudge((judge, world) =>
      Effect.gen(function* () {
        const judging = yield* Effect.fork(judge(topic, good))
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(world.verified, 0)
        yield* imported(world)
        yield* TestClock.adjust("200 millis")
        assert.strictEqual(yield* Fiber.join(judging), "accept")
        assert.strictEqual(world.verified, 1)
      })
    )
  )

  it.effect("is ignored, never accepted, while its block is not known", () =>
    withJudge((judge, world) =>
      Effect.gen(function* () {
        const judging = yield* Effect.fork(judge(topic, good))
        yield* TestClock.adjust("6 seconds")
        assert.strictEqual(yield* Fiber.join(judging), "ignore")
        yield* imported(world)
        for (const fact of [
          undefined,
          { _tag: "Empty", slot: block.slot } as const,
          { _tag: "Block", block: { ...canonical(block), root: `0x${"77".repeat(32)}` } } as const
        ]) {
          world.fact = fact
          assert.strictEqual(yield* judge(topic, good), "ignore")
        }
        assert.strictEqual(world.verified, 0)
      })
    )
  )

  it.effect("is rejected with another signature than its block's, and ignored where that is not known", () =>
    withJudge((judge, world) =>
      Effect.gen(function* () {
        yield* imported(world)
        const forged = columnOf(block, 7, (sidecar) => ({
          ...sidecar,
          signedBlockHeader: { ...sidecar.signedBlockHeader, signature: new Uint8Array(96).fill(9) }
        }))
        assert.strictEqual(yield* judge(topic, message(forged)), "reject")
        world.fact = { _tag: "Block", block: { ...canonical(block), signature: Option.none() } }
        assert.strictEqual(yield* judge(topic, good), "ignore")
        assert.strictEqual(world.verified, 0)
      })
    )
  )

  it.effect("is rejected when its cells do not verify, and ignored when nobody can tell", () =>
    withJudge((judge, world) =>
      Effect.gen(function* () {
        yield* imported(world)
        world.verdict = wrong
        assert.strictEqual(yield* judge(topic, good), "reject")
        for (const verdict of [undefined, { _tag: "Skipped" } as const]) {
          world.verdict = verdict
          assert.strictEqual(yield* judge(topic, good), "ignore")
        }
      })
    )
  )

  it.effect("of a peer that sent three wrong ones is not looked at for an hour", () =>
    withJudge((judge, world) =>
      Effect.gen(function* () {
        yield* imported(world)
        world.verdict = wrong
        for (let sent = 0; sent < 3; sent++) assert.strictEqual(yield* judge(topic, good), "reject")
        world.verdict = { _tag: "Valid" }
        assert.strictEqual(yield* judge(topic, good), "ignore")
        assert.strictEqual(world.verified, 3)
        assert.strictEqual(yield* judge(topic, message(good.data, "b")), "accept", "another peer's is")
        yield* TestClock.adjust("61 minutes")
        assert.strictEqual(yield* judge(topic, good), "accept")
      })
    )
  )
})
