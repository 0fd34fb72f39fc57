import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { LiveMatrix, type VerifiedColumn } from "../../src/matrix/LiveMatrix.ts"
import { peer } from "./FakeWorld.ts"
import { first, honest, honestRange, jobOver, probe, world16 } from "./Probes.ts"

/** A matrix that takes note of what it is given. */
const noting = (noted: Array<VerifiedColumn>) =>
  LiveMatrix.of({
    hold: (column) => Effect.sync(() => noted.push(column) > 0),
    at: () => Effect.succeed([]),
    columns: () => Effect.succeed(new Map()),
    reached: () => Effect.never,
    changes: Stream.empty
  })

describe("what a probe brings", () => {
  it.effect("goes to the live matrix once it is verified, with whom it is from", () =>
    Effect.gen(function* () {
      const world = world16()
      const noted: Array<VerifiedColumn> = []
      const { probe: made } = yield* probe(world, honest(world), jobOver(0, 16)).pipe(
        Effect.provideService(LiveMatrix, noting(noted))
      )
      const proven = made.outcomes.filter(({ outcome }) => outcome === "success")
      assert.isNotEmpty(proven)
      assert.sameDeepMembers(
        noted.map(({ block, column, fork, from, source }) => [
          block.slot,
          block.root,
          block.blobs,
          column,
          fork,
          from,
          source
        ]),
        proven.map(({ blobs, blockRoot, column, slot }) => [
          slot,
          blockRoot,
          blobs,
          column,
          "gloas",
          peer.peerId,
          "request"
        ])
      )
    })
  )

  it.effect("stays away from it where it is of another block", () =>
    Effect.gen(function* () {
      const world = world16()
      const noted: Array<VerifiedColumn> = []
      const root = `0x${"ee".repeat(32)}`
      const wrong = {
        ...honest(world),
        byRange: (request: Parameters<typeof honestRange>[1]) => ({
          sent: honestRange(world, request).map((sent) => (sent.slot === first + 1 ? { ...sent, root } : sent))
        }),
        byRoot: () => ({ sent: [] })
      }
      yield* probe(world, wrong, jobOver(0, 16)).pipe(Effect.provideService(LiveMatrix, noting(noted)))
      assert.isNotEmpty(noted)
      assert.isTrue(noted.every(({ block }) => block.slot !== first + 1))
    })
  )
})
