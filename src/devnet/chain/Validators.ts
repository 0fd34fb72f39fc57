import { publicKeyOf, sign } from "../../bls/Bls.ts"
import { seeded } from "./Random.ts"

/** Validators of the devnet: what proposer indices are below. */
export const validatorCount = 1024

/** Who proposes the block of a slot, whatever the branch: the devnet shuffles by nothing but its seed. */
export const proposerOf = (seed: number, slot: number): number => seeded(seed, "proposer", slot).below(validatorCount)

/** The public key of a validator, 48 bytes; a few milliseconds. */
export const validatorKey = (seed: number, index: number): Uint8Array => publicKeyOf(secretKey(seed, index))

/** A proposer's signature, 96 bytes; some ten milliseconds. */
export const signAs = (seed: number, index: number, signingRoot: Uint8Array): Uint8Array =>
  sign(secretKey(seed, index), signingRoot)

/** Below the order of the group: the first byte is zero. */
const secretKey = (seed: number, index: number): Uint8Array => {
  const key = seeded(seed, "validator", index).bytes(32)
  key[0] = 0
  return key
}
