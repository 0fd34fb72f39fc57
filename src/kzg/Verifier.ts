import { Context, type Effect, Schema } from "effect"
import { fromHex } from "../domain/Bytes.ts"
import type { Block } from "../domain/network/Block.ts"
import { blobParametersAt, type ChainParameters, epochOf, type ForkName } from "../domain/network/Chain.ts"
import type { InvalidCheck } from "../domain/probe/Outcome.ts"
import type { Slot } from "../domain/Primitives.ts"

/** The verifier itself failed; the columns in question are nobody's fault. */
export class VerifierError extends Schema.TaggedError<VerifierError>()("VerifierError", {
  reason: Schema.String
}) {}

/** A delivered sidecar and the canonical block that it must belong to. */
export interface SidecarToVerify {
  readonly fork: ForkName
  /** The whole sidecar, as it came. */
  readonly ssz: Uint8Array
  /** 32 bytes: root of the canonical block. */
  readonly blockRoot: Uint8Array
  readonly slot: Slot
  /** The canonical block's commitments, 48 bytes each. */
  readonly commitments: ReadonlyArray<Uint8Array>
  /** Blob limit at the slot's epoch. */
  readonly maxBlobsPerBlock: number
}

/** A canonical block, as sidecars are held against it: one object for all that are. */
export const expectedOf = (chain: ChainParameters, block: Block): Omit<SidecarToVerify, "fork" | "ssz"> => ({
  blockRoot: fromHex(block.root),
  slot: block.slot,
  commitments: block.commitments,
  maxBlobsPerBlock: blobParametersAt(chain, epochOf(chain, block.slot)).maxBlobsPerBlock
})

export type SidecarVerdict =
  | { readonly _tag: "Valid" }
  | { readonly _tag: "Invalid"; readonly check: InvalidCheck; readonly detail: string }
  /** Not looked at: enough others of the call are guilty, or its turn did not come. */
  | { readonly _tag: "Skipped" }

export const valid: SidecarVerdict = { _tag: "Valid" }
export const skipped: SidecarVerdict = { _tag: "Skipped" }

/** Fails against the header of its own block; another header, or no sidecar at all, may be an honest mistake. */
export const isGuilty = (verdict: SidecarVerdict): boolean =>
  verdict._tag === "Invalid" && verdict.check !== "header" && verdict.check !== "structure"

export interface VerifyOptions {
  /**
   * Once so many sidecars fail against the header of their own block (`commitments`, `inclusion_proof`, `kzg_proof`), what
   * is not verified by then is skipped: a liar costs no more than that. A few more are found where several batches are
   * verified at once. None is skipped if left out.
   */
  readonly mostGuilty?: number
  /** Verified when nobody else waits, in small batches, on two threads at most; skipped where that takes too long. */
  readonly isLast?: boolean
  /**
   * Between the two: verified when nobody else waits, in batches of medium size that all who come so share. For what nobody
   * asked for, and that is wanted within half a second all the same: gossip.
   */
  readonly inBackground?: boolean
}

/**
 * Checks sidecars against their blocks: structure, header root, commitments, inclusion proof, and then the KZG proof of
 * every cell, those of several callers in one batch. A batch that fails is bisected to the guilty columns.
 */
export class Verifier extends Context.Tag("dasmon/Verifier")<
  Verifier,
  {
    /** One verdict a sidecar, in the same order. */
    readonly verify: (
      sidecars: ReadonlyArray<SidecarToVerify>,
      options?: VerifyOptions
    ) => Effect.Effect<ReadonlyArray<SidecarVerdict>, VerifierError>
  }
>() {}
