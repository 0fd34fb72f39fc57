import { assert } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { layerInline } from "../../src/kzg/InlineVerifier.ts"
import { type SidecarToVerify, type SidecarVerdict, Verifier, type VerifyOptions } from "../../src/kzg/Verifier.ts"
import { layerWorkers } from "../../src/kzg/WorkerVerifier.ts"
import { shared } from "../Shared.ts"
import { changed, vector } from "./Columns.ts"

const entry = new URL("../../dist/kzg/KzgWorker.js", import.meta.url)

const good = vector("fulu", 63)
const wrongCell = changed(good, (value) => value.column.reverse())
const wrongCommitment = changed(good, (value) => value.kzgCommitments[4]?.fill(1))
const wrongHeader = changed(good, (value) => (value.signedBlockHeader.message.proposerIndex = 1))

const times = (count: number, sidecar: SidecarToVerify) => Array.from({ length: count }, () => sidecar)

const count = (verdicts: ReadonlyArray<SidecarVerdict>) => {
  const counts: Record<string, number> = {}
  for (const verdict of verdicts) {
    const name = verdict._tag === "Invalid" ? verdict.check : verdict._tag
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

/** What every verifier does. */
const layers: ReadonlyArray<readonly [string, Layer.Layer<Verifier, unknown>]> = [
  ["inline", layerInline],
  ["in one worker thread", layerWorkers({ size: 1, entry })]
]
for (const [name, layer] of layers) {
  shared(`a verifier ${name}`, Layer.orDie(layer), (it) => {
    const verify = (sidecars: ReadonlyArray<SidecarToVerify>, options?: VerifyOptions) =>
      Effect.flatMap(Verifier, (verifier) => verifier.verify(sidecars, options))

    it.live("looks at no more once a few are guilty; what is decided by then counts", () =>
      Effect.gen(function* () {
        const sidecars = [...times(4, good), ...times(12, wrongCell), ...times(16, good)]
        const verdicts = yield* verify(sidecars, { mostGuilty: 3 })
        assert.deepStrictEqual(count(verdicts), { Valid: 4, kzg_proof: 3, Skipped: 25 })
        assert.deepStrictEqual(count(verdicts.slice(0, 7)), { Valid: 4, kzg_proof: 3 })
        assert.deepStrictEqual(count(yield* verify(sidecars)), { Valid: 20, kzg_proof: 12 })
      })
    )

    it.live("looks at proofs last, and not at all where enough is guilty before them", () =>
      Effect.gen(function* () {
        const sidecars = [...times(6, good), ...times(3, wrongCommitment)]
        assert.deepStrictEqual(count(yield* verify(sidecars, { mostGuilty: 3 })), { commitments: 3, Skipped: 6 })
        // Another header may be that of a reorg: an honest peer's other columns are looked at all the same.
        const reorganised = [...times(6, good), ...times(9, wrongHeader)]
        assert.deepStrictEqual(count(yield* verify(reorganised, { mostGuilty: 3 })), { Valid: 6, header: 9 })
      })
    )

    it.live("counts the guilty over all batches of a call", () =>
      Effect.gen(function* () {
        // Of those that come last a batch has eight.
        const sidecars = [...times(8, good), wrongCell, ...times(14, good), wrongCell, ...times(20, good)]
        const verdicts = yield* verify(sidecars, { mostGuilty: 2, isLast: true })
        assert.deepStrictEqual(count(verdicts.slice(0, 24)), { Valid: 22, kzg_proof: 2 })
        assert.deepStrictEqual(count(verdicts.slice(24)), { Skipped: 20 })
      })
    )

    it.live("verifies all of one that comes last, when nobody else is there", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(count(yield* verify(times(20, good), { isLast: true })), { Valid: 20 })
      })
    )
  })
}
