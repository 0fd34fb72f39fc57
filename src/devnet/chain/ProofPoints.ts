import { normalizeZ } from "@noble/curves/abstract/curve.js"
import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js"
import { bls12_381 } from "@noble/curves/bls12-381.js"
import { fromHex, toHex } from "../../domain/Bytes.ts"

/** A commitment or a proof, as something that can be added. */
export type ProofPoint = WeierstrassPoint<bigint>

/**
 * Reads compressed points of G1 (48 bytes each). Those are of the KZG library itself: whether they are on the curve and of
 * the subgroup, which takes three quarters of the time, is not looked at again. None of them may be the point at infinity.
 */
export const readPoints = (compressed: ReadonlyArray<Uint8Array>): ReadonlyArray<ProofPoint> =>
  compressed.map((bytes) => {
    const x = BigInt(toHex(bytes)) & xBits
    const root = Fp.sqrt(Fp.add(Fp.mul(Fp.sqr(x), x), four))
    return Point.fromAffine({ x, y: isLarger(root) === ((bytes[0] ?? 0) & largerFlag) > 0 ? root : Fp.neg(root) })
  })

/** Compressed points, 48 bytes each. */
export const writePoints = (points: ReadonlyArray<ProofPoint>): ReadonlyArray<Uint8Array> =>
  normalizeZ(Point, [...points]).map((point) => {
    const { x, y } = point.toAffine()
    const bytes = fromHex(x.toString(16).padStart(96, "0"))
    bytes[0] = (bytes[0] ?? 0) | compressedFlag | (isLarger(y) ? largerFlag : 0)
    return bytes
  })

const { Point } = bls12_381.G1
const { Fp } = bls12_381.fields
const four = 4n
const xBits = (1n << 381n) - 1n
const compressedFlag = 0x80
const largerFlag = 0x20

/** Of the two roots the one that the flag stands for. */
const isLarger = (y: bigint): boolean => y > (Fp.ORDER - 1n) / 2n
