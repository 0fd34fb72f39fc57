/** A draw without replacement: `drawn` of `total`, of which `marked` are marked. */
export interface Draw {
  readonly total: number
  readonly marked: number
  readonly drawn: number
}

/** P(exactly `k` of those drawn are marked). */
export const probabilityOf = (k: number, { drawn, marked, total }: Draw): number =>
  k < Math.max(0, drawn - (total - marked)) || k > Math.min(marked, drawn)
    ? 0
    : (choose(marked, k) * choose(total - marked, drawn - k)) / choose(total, drawn)

/** P(at most `k` of those drawn are marked). */
export const probabilityAtMost = (k: number, draw: Draw): number => {
  let sum = 0
  for (let count = 0; count <= Math.min(k, draw.drawn); count++) sum += probabilityOf(count, draw)
  return Math.min(1, sum)
}

/** P(at least `k` of those drawn are marked). */
export const probabilityAtLeast = (k: number, draw: Draw): number => {
  let sum = 0
  for (let count = Math.max(0, k); count <= draw.drawn; count++) sum += probabilityOf(count, draw)
  return Math.min(1, sum)
}

/** The ways to choose `k` of `n`; within 1e-13 of it for the 128 columns of a block (2.4e37 at most). */
const choose = (n: number, k: number): number => {
  if (k < 0 || k > n) return 0
  let ways = 1
  for (let index = 1; index <= Math.min(k, n - k); index++) ways = (ways * (n - Math.min(k, n - k) + index)) / index
  return ways
}
