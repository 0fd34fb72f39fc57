import type { Random } from "./Random.ts"

/** BLS_MODULUS: what every field element of a blob is below (deneb/polynomial-commitments.md). */
const modulus = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n
const elementBytes = 32

/** So many field elements, 32 bytes each, of 254 random bits. */
export const randomElements = (random: Random, count: number): Uint8Array => {
  const bytes = random.bytes(count * elementBytes)
  for (let at = 0; at < bytes.length; at += elementBytes) bytes[at] = (bytes[at] ?? 0) & 0x3f
  return bytes
}

/** The sum of two lists of field elements of one length. */
export const addElements = (one: Uint8Array, other: Uint8Array): Uint8Array => {
  const out = new Uint8Array(one.length)
  for (let at = 0; at < out.length; at += elementBytes) {
    const sum = readElement(one, at) + readElement(other, at)
    writeElement(out, at, sum < modulus ? sum : sum - modulus)
  }
  return out
}

const readElement = (bytes: Uint8Array, at: number): bigint => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, elementBytes)
  let element = 0n
  for (let word = 0; word < elementBytes; word += 8) element = (element << 64n) | view.getBigUint64(word)
  return element
}

const writeElement = (bytes: Uint8Array, at: number, element: bigint): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, elementBytes)
  let rest = element
  for (let word = elementBytes - 8; word >= 0; word -= 8) {
    view.setBigUint64(word, BigInt.asUintN(64, rest))
    rest >>= 64n
  }
}
