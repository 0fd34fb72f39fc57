import { FastCheck as fc } from "effect"
import { concatBytes } from "../../src/domain/Bytes.ts"

/** Bytes of any length between the bounds, some that compress and some that do not. */
export const randomBytes = (bounds: { readonly min: number; readonly max: number }): fc.Arbitrary<Uint8Array> =>
  fc
    .record({
      length: fc.oneof(
        fc.integer(bounds),
        fc.constantFrom(
          ...[65_535, 65_536, 65_537, 131_072].map((size) => Math.min(Math.max(size, bounds.min), bounds.max))
        )
      ),
      seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      alphabet: fc.constantFrom(1, 2, 16, 256)
    })
    .map(({ length, seed, alphabet }) => {
      let state = seed
      const out = new Uint8Array(length)
      for (let index = 0; index < length; index++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
        out[index] = (state >> 16) % alphabet
      }
      return out
    })

/** A way to cut bytes into pieces, empty ones among them. */
export const splits: fc.Arbitrary<(bytes: Uint8Array) => ReadonlyArray<Uint8Array>> = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 70_000 })), { maxLength: 40 })
  .map((sizes) => (bytes) => {
    const pieces: Array<Uint8Array> = []
    let offset = 0
    for (const size of sizes) {
      pieces.push(bytes.subarray(offset, offset + size))
      offset += size
    }
    return [...pieces, bytes.subarray(offset)]
  })

/** A way to spoil bytes: some changed, some cut out, some put in. */
export const corrupted: fc.Arbitrary<(bytes: Uint8Array) => Uint8Array> = fc
  .array(
    fc.record({
      kind: fc.constantFrom("change", "cut", "insert"),
      /** Mostly near the start, where the lengths are. */
      at: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 100_000 })),
      byte: fc.integer({ min: 0, max: 255 })
    }),
    { minLength: 1, maxLength: 5 }
  )
  .map(
    (spoils) => (bytes) =>
      spoils.reduce((spoilt, { kind, at, byte }) => {
        const place = at % Math.max(spoilt.length, 1)
        return concatBytes([
          spoilt.subarray(0, place),
          kind === "cut" ? new Uint8Array(0) : Uint8Array.of(byte),
          spoilt.subarray(kind === "insert" ? place : place + 1)
        ])
      }, bytes)
  )
