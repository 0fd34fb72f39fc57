import { WireError } from "./WireError.ts"

/** A length as protobuf varint: 7 bits a byte, lowest first. `value` is a whole number below 2^53. */
export const encodeVarint = (value: number): Uint8Array => {
  const out: Array<number> = []
  let rest = value
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  out.push(rest)
  return Uint8Array.from(out)
}

/** Reads one varint byte by byte. */
export interface VarintDecoder {
  /** The number when `byte` was its last; `undefined` while it goes on. */
  readonly push: (byte: number) => number | undefined | WireError
}

export const makeVarintDecoder = (): VarintDecoder => {
  // Of its 70 bits the lower 49, and those above.
  let low = 0
  let high = 0
  let bytes = 0
  return {
    push: (byte) => {
      if (bytes < lowBytes) low += (byte & 0x7f) * 2 ** (7 * bytes)
      else high += (byte & 0x7f) * 2 ** (7 * (bytes - lowBytes))
      bytes++
      if (byte >= 0x80) {
        return bytes < 10
          ? undefined
          : new WireError({ reason: "varint_too_long", detail: "the length goes on after 10 bytes" })
      }
      if (high < 2 ** (53 - 7 * lowBytes)) return low + high * 2 ** (7 * lowBytes)
      const value = BigInt(low) + BigInt(high) * 2n ** BigInt(7 * lowBytes)
      return new WireError({ reason: "varint_overflow", detail: `the length is ${value}` })
    }
  }
}

const lowBytes = 7
