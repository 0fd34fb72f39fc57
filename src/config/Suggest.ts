/** The one of `known` that `text` was most likely meant to be; `undefined` if none comes close. */
export const closest = (text: string, known: ReadonlyArray<string>): string | undefined => {
  const given = plain(text)
  let best: { readonly name: string; readonly distance: number } | undefined
  for (const name of known) {
    const meant = plain(name)
    const allowed = Math.floor(meant.length / 3)
    if (Math.abs(meant.length - given.length) > allowed) continue
    const distance = editDistance(given, meant)
    if (distance <= allowed && distance < (best?.distance ?? Infinity)) best = { name, distance }
  }
  return best?.name
}

/** `maxColumns`, `max-columns` and `max_columns` are the same word. */
const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "")

/** Letters to insert, drop, replace or swap with their neighbour to make `b` of `a` (optimal string alignment). */
const editDistance = (a: string, b: string): number => {
  const rows: Array<Array<number>> = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
          swapped ? at(i - 2, j - 2) + 1 : Infinity
        )
      )
    }
  }
  return at(a.length, b.length)
}
