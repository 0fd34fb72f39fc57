/** Rows of `width` words by key, for those keys that have any, all in one array. */
export interface WordRows {
  readonly size: () => number
  readonly keys: () => Iterable<number>
  /** Where in `words` the row of the key begins; -1 if it has none. */
  readonly find: (key: number) => number
  /** The same; a key that has none gets a row of zeros. */
  readonly make: (key: number) => number
  readonly drop: (key: number) => void
  /** Until the next `make`. */
  readonly words: () => Int32Array
}

export const makeWordRows = (width: number): WordRows => {
  const places = new Map<number, number>()
  const free: Array<number> = []
  let words = new Int32Array(0)
  let used = 0

  const grow = (): void => {
    const larger = new Int32Array(Math.max(8 * width, Math.ceil((words.length * 1.25) / width) * width))
    larger.set(words)
    words = larger
  }
  return {
    size: () => places.size,
    keys: () => places.keys(),
    find: (key) => places.get(key) ?? -1,
    make: (key) => {
      const found = places.get(key)
      if (found !== undefined) return found
      if (free.length === 0 && used === words.length) grow()
      const at = free.pop() ?? used
      if (at === used) used += width
      words.fill(0, at, at + width)
      places.set(key, at)
      return at
    },
    drop: (key) => {
      const at = places.get(key)
      if (at === undefined) return
      places.delete(key)
      free.push(at)
    },
    words: () => words
  }
}
