/** Bytes that several clients are sent, made once for all of them. */
export interface SharedBytes {
  /** The bytes of this name, which `make` makes if they are not kept. */
  readonly of: (name: string, make: () => Buffer) => Buffer
}

/** Keeps those that were wanted last, of `most` bytes in all. Whoever still has others to send holds on to them. */
export const makeSharedBytes = (most: number): SharedBytes => {
  const kept = new Map<string, Buffer>()
  let total = 0
  return {
    of: (name, make) => {
      const known = kept.get(name)
      const bytes = known ?? make()
      kept.delete(name)
      kept.set(name, bytes)
      if (known !== undefined) return bytes
      total += bytes.length
      for (const [oldest, { length }] of kept) {
        if (total <= most || oldest === name) break
        kept.delete(oldest)
        total -= length
      }
      return bytes
    }
  }
}

/**
 * Items in pieces that come out the same wherever they are cut off a longer run, but for its ends: what is replayed to
 * one client is what is replayed to another, wherever each of them is. Those that `isAlone` says so are pieces of their
 * own.
 */
export const piecesOf = <A>(
  items: ReadonlyArray<A>,
  sequenceOf: (item: A) => number,
  isAlone: (item: A) => boolean
): ReadonlyArray<readonly [A, ...ReadonlyArray<A>]> => {
  const pieces: Array<[A, ...Array<A>]> = []
  let place = -1
  for (const item of items) {
    const next = isAlone(item) ? -1 : Math.floor(sequenceOf(item) / pieceLength)
    const last = pieces.at(-1)
    if (last !== undefined && next === place && next >= 0) last.push(item)
    else pieces.push([item])
    place = next
  }
  return pieces
}

const pieceLength = 64
