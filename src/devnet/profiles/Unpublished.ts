import { supernode } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/**
 * Honest, and keeps all columns. Where it is, one block in forty slots is published but for 65 of its columns: one more, and
 * it could be recovered. Nobody has them, whatever they claim.
 */
export const withheldBlock: Profile = { ...supernode, partial: { columns: 63, first: 20, every: 40 } }

/** The same, and 64 columns are published: just enough, and nobody recovers the others. */
export const half: Profile = { ...supernode, partial: { columns: 64, first: 12, every: 40 } }
