import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import { Schema } from "effect"
import type { Root } from "./Primitives.ts"

/** `0x`-prefixed lower-case hexadecimal of `bytes`. Keys, JSON and logs hold bytes in this form. */
export const toHex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`

/** The bytes of a hexadecimal string, with or without `0x`. The caller has checked the form (`hexOf`): it throws on another. */
export const fromHex = (hex: string): Uint8Array => hexToBytes(hex.startsWith("0x") ? hex.slice(2) : hex)

/** Whether both hold the same bytes. Not for secrets: how long it takes tells where they differ. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/**
 * Two values, shortened to stand in one sentence, the second right behind the first: where they begin alike it is shown,
 * and said, from which byte on (counted from 0) they differ.
 */
export const sideBySide = (a: Uint8Array, b: Uint8Array): readonly [string, string] => {
  const length = Math.max(a.length, b.length)
  let first = 0
  while (first < length && a[first] === b[first]) first++
  if (first === length || first < shown) return [shorten(a), shorten(b)]
  const around = (bytes: Uint8Array) => {
    const rest = bytes.length > first + shown ? "…" : ""
    return `${toHex(bytes.subarray(0, shown / 2))}…${bytesToHex(bytes.subarray(first, first + shown))}${rest}`
  }
  return [around(a), `${around(b)} (they differ from byte ${first} on)`]
}

/** Bytes of a root or commitment that tell it from any other that is not made to look like it. */
const shown = 6

const shorten = (bytes: Uint8Array): string => `${toHex(bytes.subarray(0, shown))}${bytes.length > shown ? "…" : ""}`

/** All parts, one after the other, in one new array. */
export const concatBytes = (parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/** A 64-bit number, little-endian, as SSZ and the custody hash want it; `Infinity` stands for 2^64-1. */
export const uint64LittleEndian = (value: number): Uint8Array => {
  const out = new Uint8Array(8)
  new DataView(out.buffer).setBigUint64(0, value === Infinity ? 2n ** 64n - 1n : BigInt(value), true)
  return out
}

/** A number as RLP and ENRs want it: big-endian, without zeros in front, so that 0 is no byte at all. */
export const bigEndian = (value: number): Uint8Array => {
  const hex = value.toString(16)
  return value === 0 ? new Uint8Array(0) : fromHex(hex.padStart(hex.length + (hex.length % 2), "0"))
}

/** `0x` and exactly `bytes` bytes in hexadecimal, any case on the way in, lower case after. */
export const hexOf = (bytes: number) =>
  Schema.compose(
    Schema.String.pipe(
      Schema.pattern(new RegExp(`^0x[0-9a-fA-F]{${bytes * 2}}$`), {
        message: () => `expected 0x and ${bytes * 2} hexadecimal digits`
      })
    ),
    Schema.Lowercase
  )

/** A root as others write it. */
export const RootFromHex: Schema.Schema<Root, string> = hexOf(32)
