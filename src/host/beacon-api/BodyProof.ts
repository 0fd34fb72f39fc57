import { branchOf, commitmentsLeaf, merkleRoot } from "../../domain/column/Merkle.ts"
import type { BlockProof } from "../../domain/network/BlockProof.ts"

/** A body's root, and how its commitments lead to it. */
export type BodyProof = Pick<BlockProof, "bodyRoot" | "branch">

/** A container of SSZ, as far as it is used: the types of its fields, in their order. */
interface Container {
  readonly fields: Readonly<Record<string, { hashTreeRoot(value: unknown): Uint8Array }>>
}

/** Up to 16 fields, as all bodies up to Fulu have. */
const bodyDepth = 4

/** Hashes each field of a body once, for both its root and the branch of its commitments. */
export const proverOf = (type: Container) => {
  const types = Object.entries(type.fields)
  return ({ body }: { readonly body: object }): BodyProof => {
    const values = new Map<string, unknown>(Object.entries(body))
    const roots = types.map(([name, field]) => field.hashTreeRoot(values.get(name)))
    return { bodyRoot: merkleRoot(roots, bodyDepth), branch: branchOf(roots, bodyDepth, commitmentsLeaf) }
  }
}
