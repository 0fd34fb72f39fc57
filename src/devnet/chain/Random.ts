import { createHash } from "node:crypto"

/** A stream of pseudo-random values that a seed and labels determine wholly. */
export interface Random {
  readonly bytes: (count: number) => Uint8Array
  /** A whole number from 0 up to, not including, `limit`. */
  readonly below: (limit: number) => number
  /** True in `probability` (0 to 1) of all calls. */
  readonly chance: (probability: number) => boolean
  /** The same items in another order. */
  readonly shuffled: <A>(items: ReadonlyArray<A>) => ReadonlyArray<A>
}

/** SHA-256 in counter mode over the seed and the labels: the same labels give the same stream, others an unrelated one. */
export const seeded = (seed: number, ...labels: ReadonlyArray<string | number>): Random => {
  const key = createHash("sha256")
    .update(JSON.stringify([seed, ...labels]))
    .digest()
  let counter = 0
  let block = Buffer.alloc(0)
  let offset = 0

  const bytes = (count: number): Uint8Array => {
    const out = new Uint8Array(count)
    let written = 0
    while (written < count) {
      if (offset === block.length) {
        const nonce = Buffer.alloc(4)
        nonce.writeUInt32LE(counter++)
        block = createHash("sha256").update(key).update(nonce).digest()
        offset = 0
      }
      const part = block.subarray(offset, offset + count - written)
      out.set(part, written)
      written += part.length
      offset += part.length
    }
    return out
  }

  const unit = (): number => Buffer.from(bytes(4)).readUInt32LE(0) / 2 ** 32
  const below = (limit: number): number => Math.floor(unit() * limit)

  return {
    bytes,
    below,
    chance: (probability) => unit() < probability,
    shuffled: (items) =>
      items
        .map((item) => ({ item, order: unit() }))
        .sort((a, b) => a.order - b.order)
        .map((entry) => entry.item)
  }
}
