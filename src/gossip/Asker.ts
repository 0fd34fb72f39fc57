import type { PeerId } from "../domain/Primitives.ts"

/** For whom something is done that there is little of. */
export type Asker =
  /** A header that is signed by the validator that is to propose in its slot: no stranger can make one. */
  | { readonly _tag: "Signed"; readonly proposerIndex: number }
  /** Of whatever else: who sent it, and whether what it sent before was found good. */
  | { readonly _tag: "Peer"; readonly peer: PeerId; readonly isProven: boolean }
