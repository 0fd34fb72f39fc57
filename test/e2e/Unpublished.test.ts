import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertFair, watchDevnet, whenTrue } from "./Watched.ts"

/** Slots that are final from the first moment on, and of whose blocks nobody has more than 63 columns. */
const withheld = [40, 61, 77, 93, 102, 118, 127, 139, 150, 166, 171, 180]

describe("a block whose columns were never published", () => {
  it.scopedLive("is held against nobody, and who withholds beside it is found", () =>
    Effect.gen(function* () {
      const watched = yield* watchDevnet({
        peers: "honest:8,supernode,withheld-block,half,withhold:2",
        network: `--partial ${withheld.map((slot) => `${slot}:63`).join(",")}`,
        seed: 31
      })
      const lacking = () =>
        whenTrue(
          watched,
          (peers) =>
            peers.filter(({ outcomes, peerId, verdict }) =>
              watched.profileOf(peerId) === "withhold" ? verdict !== "violating" : outcomes.success < 150
            ),
          "4 minutes"
        )
      yield* lacking()
      const events = yield* watched.finish
      assertFair(watched, events, (profile) => profile !== "withhold")
      const seen = events.filter(
        (event) =>
          event._tag === "Sampling" &&
          watched.profileOf(event.probe.job.peerId) !== "withhold" &&
          event.probe.outcomes.some(({ outcome, slot }) => outcome !== "success" && withheld.includes(slot))
      )
      assert.isAbove(seen.length, 8, "they had their chance to be accused")
    })
  )
})
