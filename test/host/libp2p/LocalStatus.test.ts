import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import type { Head } from "../../../src/domain/network/Block.ts"
import { ExternsError } from "../../../src/host/Externs.ts"
import { makeLocalStatus } from "../../../src/host/libp2p/LocalStatus.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"

const chain = devnetParameters(1, 12_000, 0)
const headAt = (slot: number): Head => ({ slot, root: `0x${slot.toString(16).padStart(64, "0")}` })
const slotOf = Effect.map(({ headSlot }: { readonly headSlot: number }) => headSlot)

describe("LocalStatus", () => {
  it.scoped("asks for the head every slot, and goes on after an error and after a defect", () =>
    Effect.gen(function* () {
      let asked = 0
      const status = yield* makeLocalStatus(
        chain,
        Effect.suspend(() => {
          asked++
          if (asked === 2) return new ExternsError({ operation: "head", reason: "no answer" })
          return asked === 3 ? Effect.dieMessage("a bug") : Effect.succeed(headAt(asked))
        })
      )
      const failing = Effect.flatMap(Daemons, ({ failing }) => failing)
      assert.strictEqual(yield* slotOf(status), 1)
      yield* TestClock.adjust("12 seconds")
      // An error is no failure of ours: the last head stands.
      assert.deepStrictEqual([asked, yield* slotOf(status), yield* failing], [2, 1, []])
      yield* TestClock.adjust("12 seconds")
      assert.deepStrictEqual(yield* failing, [{ name: "the refreshing of our status", failures: 1, reason: "a bug" }])
      assert.deepStrictEqual([asked, yield* slotOf(status)], [3, 1])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([asked, yield* slotOf(status), yield* failing], [4, 4, []])
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual(yield* slotOf(status), 5)
    }).pipe(Effect.provide(Daemons.layer))
  )

  it.scoped("does not wait long for a chain that does not answer, nor for one that dies", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.fork(makeLocalStatus(chain, Effect.never))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* slotOf(yield* Fiber.join(silent)), 0)
      assert.strictEqual(yield* slotOf(yield* makeLocalStatus(chain, Effect.dieMessage("a bug"))), 0)
    })
  )
})
