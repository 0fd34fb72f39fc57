import { assert, describe, it } from "@effect/vitest"
import type { Asked } from "../../../src/devnet/profiles/strict/Asked.ts"
import {
  caplinLimiter,
  lighthouseLimiter,
  type Limiter,
  lodestarLimiter,
  tekuLimiter,
  tooManyRequests
} from "../../../src/devnet/profiles/strict/Limiters.ts"

const of = (kind: Asked["kind"], sidecars = 0): Asked => ({ kind, sidecars })

/** Which of these are too much; each is at its second. */
const refused = (limiter: Limiter, asked: ReadonlyArray<readonly [second: number, asked: Asked]>) =>
  asked.flatMap(([second, one], index) => (limiter(one, second * 1000) === undefined ? [] : [index]))

describe("the limits of clients", () => {
  it("Lighthouse: 512 by root and 5,120 by range in ten seconds, each for itself, and few small ones", () => {
    const limiter = lighthouseLimiter()
    const asked = [
      [0, of("root", 512)],
      [0, of("range", 5120)],
      [0, of("root", 1)],
      [5, of("root", 256)],
      [5, of("root", 1)]
    ] as const
    assert.deepStrictEqual(refused(limiter, asked), [2, 4])
    const small = [0, 0, 0, 3, 0].map((second) => [second, of("metadata")] as const)
    assert.deepStrictEqual(refused(lighthouseLimiter(), small), [2, 4])
  })

  it("Lodestar: 16,384 of each, whether they exist or not", () => {
    assert.deepStrictEqual(
      refused(lodestarLimiter(), [
        [0, of("range", 16_384)],
        [0, of("range", 1)],
        [10, of("range", 16_384)]
      ]),
      [1]
    )
  })

  it("Teku: a hundred requests a minute, and 2,000 sidecars", () => {
    const limiter = tekuLimiter()
    const pings = Array.from({ length: 100 }, (_, index) => [index / 10, of("ping")] as const)
    assert.deepStrictEqual(refused(limiter, pings), [])
    assert.strictEqual(limiter(of("ping"), 59_000), tooManyRequests)
    assert.isUndefined(limiter(of("ping"), 60_100))
    const other = tekuLimiter()
    assert.isUndefined(other(of("range", 2000), 0))
    assert.notStrictEqual(other(of("root", 1), 59_000), undefined)
    assert.isUndefined(other(of("root", 1), 60_000))
  })

  it("Caplin: 128 of a protocol in ten seconds, and nothing of it for thirty after more than that", () => {
    const limiter = caplinLimiter()
    assert.deepStrictEqual(
      refused(limiter, [
        [0, of("range", 128)],
        [0, of("root", 128)],
        [0, of("range", 1)],
        [29, of("range", 1)],
        [29, of("root", 128)],
        [31, of("range", 128)]
      ]),
      [2, 3]
    )
  })
})
