const longest = 64

/** The one of `known` that `text` was most likely meant to be; `undefined` if none comes close. */
export const closest = (text: string, known: ReadonlyArray<string>): string | undefined => {
  if (text.length > longest) return undefined
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const distance = editDistance(plain(text), plain(name))
    if (distance <= Math.floor(plain(name).length / 3) && distance < (best?.distance ?? Infinity)) {
      best = { name, distance }
    }
  }
  return best?.name
}

/** `maxColumns`, `max-columns` and `max_columns` are the same word. */
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "")

/** Letters to insert, drop or replace to make `b` of `a` (Levenshtein). */
const editDistance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
