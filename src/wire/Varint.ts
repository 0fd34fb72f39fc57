import { Either } from "effect"
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
  readonly push: (byte: number) => Either.Either<number | undefined, WireError>
}

export const makeVarintDecoder = (): VarintDecoder => {
  let value = 0n
  let bytes = 0
  return {
    push: (byte) => {
      value |= BigInt(byte & 0x7f) << BigInt(7 * bytes)
      bytes++
      if (byte >= 0x80) {
        return bytes < 10
          ? Either.right(undefined)
          : Either.left(new WireError({ reason: "varint_too_long", detail: "the length goes on after 10 bytes" }))
      }
      return value <= Number.MAX_SAFE_INTEGER
        ? Either.right(Number(value))
        : Either.left(new WireError({ reason: "varint_overflow", detail: `the length is ${value}` }))
    }
  }
}
