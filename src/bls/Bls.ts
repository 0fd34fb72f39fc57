import { bls12_381 } from "@noble/curves/bls12-381.js"

/** A signature of Ethereum's validators, and what it is to be held against. */
export interface Signed {
  /** Compressed G1, 48 bytes. */
  readonly publicKey: Uint8Array
  /** 32 bytes. */
  readonly signingRoot: Uint8Array
  /** Compressed G2, 96 bytes. */
  readonly signature: Uint8Array
}

/**
 * BLS verification of the proof-of-possession scheme (phase0/beacon-chain.md, "BLS signatures"): 30 ms and more. What is no
 * point of its group does not hold.
 */
export const holds = ({ publicKey, signature, signingRoot }: Signed): boolean => {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
  try {
    return scheme.verify(signature, scheme.hash(signingRoot, tag), publicKey)
  } catch {
    // The library throws for bytes that are no point, which is all that can be wrong with bytes of these lengths.
    return false
  }
}

/** Whether 48 bytes are a point of the group of commitments and public keys, that at infinity included: a millisecond. */
export const isPoint = (bytes: Uint8Array): boolean => {
  try {
    bls12_381.G1.Point.fromBytes(bytes).assertValidity()
    return true
  } catch {
    // The library throws for all that is none.
    return false
  }
}

export const publicKeyOf = (secretKey: Uint8Array): Uint8Array => scheme.getPublicKey(secretKey).toBytes()

export const sign = (secretKey: Uint8Array, signingRoot: Uint8Array): Uint8Array =>
  scheme.Signature.toBytes(scheme.sign(scheme.hash(signingRoot, tag), secretKey))

const scheme = bls12_381.longSignatures
const tag = "BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
const publicKeyBytes = 48
const signatureBytes = 96
