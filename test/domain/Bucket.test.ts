import { assert, describe, it } from "@effect/vitest"
import { makeBucket, makeBuckets, unlimited } from "../../src/domain/Bucket.ts"

describe("a bucket", () => {
  it("holds a burst, and gets back so much a second", () => {
    const bucket = makeBucket({ burst: 10, perSecond: 2 })
    assert.strictEqual(bucket.room(1000), 10)
    bucket.take(7, 1000)
    assert.strictEqual(bucket.room(1000), 3)
    assert.strictEqual(bucket.untilMs(3, 1000), 0)
    assert.strictEqual(bucket.untilMs(4, 1000), 500)
    assert.strictEqual(bucket.room(2000), 5)
    assert.strictEqual(bucket.room(60_000), 10)
  })

  it("may be overdrawn, and takes back what was not needed", () => {
    const bucket = makeBucket({ burst: 10, perSecond: 3 }, 0)
    bucket.take(5, 0)
    assert.strictEqual(bucket.untilMs(1, 0), 2000)
    bucket.take(-100, 0)
    assert.strictEqual(bucket.room(0), 10)
    // What is more than it ever holds is waited for until it is full.
    assert.strictEqual(bucket.untilMs(1000, 0), 0)
    bucket.take(1, 0)
    assert.strictEqual(bucket.untilMs(1000, 0), 334)
  })

  it("gives nothing for a clock that was set back", () => {
    const bucket = makeBucket({ burst: 10, perSecond: 1 }, 2)
    assert.strictEqual(bucket.room(50_000), 2)
    assert.strictEqual(bucket.room(10_000), 2)
    assert.strictEqual(bucket.room(11_000), 3)
  })

  it("is each key's own, of those that were asked for last", () => {
    const of = makeBuckets<string>({ burst: 1, perSecond: 0 }, 2)
    of("a").take(1, 0)
    assert.deepStrictEqual([of("a").room(0), of("b").room(0)], [0, 1])
    of("a")
    of("c")
    assert.deepStrictEqual([of("a").room(0), of("c").room(0)], [0, 1])
    of("b")
    assert.strictEqual(of("a").room(0), 1)
  })

  it("without a limit is always full", () => {
    const bucket = makeBucket(unlimited)
    bucket.take(1e300, 0)
    for (const now of [0, 0, 5]) assert.deepStrictEqual([bucket.room(now), bucket.untilMs(1e300, now)], [Infinity, 0])
  })
})
