import * as Transferable from "@effect/platform/Transferable"
import { WorkerError } from "@effect/platform/WorkerError"
import { Schema } from "effect"
import { concatBytes } from "../domain/Bytes.ts"
import { forkNames } from "../domain/network/Chain.ts"
import { InvalidCheck } from "../domain/probe/Outcome.ts"
import { type SidecarToVerify, VerifierError } from "./Verifier.ts"

const commitmentBytes = 48
const rootBytes = 32

/** What a worker replies. */
const Verdict = Schema.Union(
  Schema.TaggedStruct("Valid", {}),
  Schema.TaggedStruct("Invalid", { check: InvalidCheck, detail: Schema.String }),
  Schema.TaggedStruct("Skipped", {})
)

/**
 * One batch on its way to a worker. All bytes are packed in one buffer of its own, which is handed over and not
 * copied again: a view would take the whole buffer that it looks at with it.
 */
export class VerifyBatch extends Schema.TaggedRequest<VerifyBatch>()("VerifyBatch", {
  success: Schema.Array(Verdict),
  // The platform passes its own failures through this schema too.
  failure: Schema.Union(VerifierError, WorkerError),
  payload: {
    /** Of each sidecar: its SSZ, the block's root, the block's commitments. */
    bytes: Transferable.Uint8Array,
    /** After so many guilty ones the rest is skipped; none is if left out. */
    mostGuilty: Schema.optional(Schema.Int),
    sidecars: Schema.Array(
      Schema.Struct({
        fork: Schema.Literal(...forkNames),
        sszBytes: Schema.Int,
        slot: Schema.Number,
        commitments: Schema.Int,
        maxBlobsPerBlock: Schema.Number
      })
    )
  }
}) {}

/** Packs a batch. The sidecars' own buffers are only read. */
export const packBatch = (sidecars: ReadonlyArray<SidecarToVerify>, mostGuilty = Infinity): VerifyBatch =>
  new VerifyBatch({
    ...(Number.isFinite(mostGuilty) ? { mostGuilty } : {}),
    bytes: concatBytes(sidecars.flatMap(({ blockRoot, commitments, ssz }) => [ssz, blockRoot, ...commitments])),
    sidecars: sidecars.map(({ commitments, fork, maxBlobsPerBlock, slot, ssz }) => ({
      fork,
      sszBytes: ssz.length,
      slot,
      commitments: commitments.length,
      maxBlobsPerBlock
    }))
  })

/** The batch that was packed, as views of the one buffer. */
export const unpackBatch = ({ bytes, sidecars }: VerifyBatch): ReadonlyArray<SidecarToVerify> => {
  let offset = 0
  const take = (length: number): Uint8Array => bytes.subarray(offset, (offset += length))
  return sidecars.map(({ commitments, fork, maxBlobsPerBlock, slot, sszBytes }) => ({
    fork,
    ssz: take(sszBytes),
    blockRoot: take(rootBytes),
    slot,
    commitments: Array.from({ length: commitments }, () => take(commitmentBytes)),
    maxBlobsPerBlock
  }))
}
