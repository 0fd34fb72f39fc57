/** A map or set that keeps the order in which its keys were put. */
interface Ordered<K> {
  readonly size: number
  readonly keys: () => Iterable<K>
  readonly delete: (key: K) => boolean
}

/** Forgets what was put first, until at most `most` are left. */
export const dropOldest = <K>(entries: Ordered<K>, most: number): void => {
  for (const oldest of entries.keys()) {
    if (entries.size <= most) break
    entries.delete(oldest)
  }
}

/** Puts `key` behind all others, also where it is known, and forgets the oldest if there are more than `most` then. */
export const setNewest = <K, V>(entries: Map<K, V>, key: K, value: V, most: number): void => {
  entries.delete(key)
  entries.set(key, value)
  dropOldest(entries, most)
}
