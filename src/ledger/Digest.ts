import { createHash } from "node:crypto"
import type { SidecarView } from "../domain/column/SidecarView.ts"

/** What digests are made with; nobody else may know it. */
export const secretBytes = 16

/**
 * SHA-256 over the secret, all cells and all proofs of a sidecar, one behind the other in the order of their rows. How many
 * there are of each is checked against the block before.
 */
export const digestOf = (secret: Uint8Array, { cells, proofs }: Pick<SidecarView, "cells" | "proofs">): Uint8Array =>
  createHash("sha256").update(secret).update(cells).update(proofs).digest()
