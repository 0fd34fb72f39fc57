import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startAsync } from "../../src/AsyncMonitor.ts"
import { makeFakeDasmon, peerOf, probeOf } from "../http/FakeDasmon.ts"

const tracked = (peerId: string) =>
  ({ _tag: "NodeTracking", change: "tracked", detail: "", peer: peerOf(peerId), peerId }) as const
const sampling = (peerId: string) =>
  ({ _tag: "Sampling", probe: probeOf(peerId), conversation: "answered", coverage: null }) as const

/** The first of an iterable; then it stops listening. */
const first = async <A>(count: number, events: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const found: Array<A> = []
  for await (const event of events) {
    found.push(event)
    if (found.length === count) break
  }
  return found
}

describe("the monitor for a host without Effect", () => {
  it.scoped("iterates over the events that are wanted, from when it is asked, with their types", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon(8)
      yield* fake.publish(sampling("A"))
      const monitor = yield* Effect.promise(() => startAsync(fake.layer))
      const probes = monitor.events({ types: ["Sampling"], peer: "B" })
      for (const body of [sampling("A"), tracked("B"), sampling("B")]) yield* fake.publish(body)
      const [probe] = yield* Effect.promise(() => first(1, probes))
      assert(probe?._tag === "Sampling")
      assert.deepStrictEqual([probe.sequence, probe.probe.job.peerId], [4, "B"])

      const { run, sequence } = yield* Effect.promise(() => monitor.snapshot())
      assert.deepStrictEqual([run, sequence], [fake.run, 4])
      const earlier = yield* Effect.promise(() => first(2, monitor.events({ since: 2 })))
      assert.deepStrictEqual(
        earlier.map(({ _tag }) => _tag),
        ["NodeTracking", "Sampling"]
      )
      // A reader that does not come back in time: nothing is held for it.
      const slow = monitor.events({ types: ["NodeTracking"] })
      for (let index = 0; index < 20; index++) yield* fake.publish(tracked("A"))
      const [gap, next] = yield* Effect.promise(() => first(2, slow))
      assert.deepStrictEqual(gap, { _tag: "Gap", from: 5, to: 16 })
      assert.propertyVal(next, "sequence", 17)
      yield* Effect.promise(() => monitor.close())
    })
  )
})
