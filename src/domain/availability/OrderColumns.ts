import { numberOfColumns } from "../network/Chain.ts"

/**
 * All columns in the order in which a block is sampled: drawn uniformly without replacement. Those that our own node keeps
 * come last: everybody knows which they are, and whoever withholds could serve just those.
 *
 * @param draw gives numbers in [0, 1)
 */
export const orderColumns = (own: ReadonlySet<number>, draw: () => number): ReadonlyArray<number> => {
  const columns = Array.from({ length: numberOfColumns }, (_, column) => column)
  return [
    ...shuffled(
      columns.filter((column) => !own.has(column)),
      draw
    ),
    ...shuffled(
      columns.filter((column) => own.has(column)),
      draw
    )
  ]
}

/** Fisher and Yates: each order is equally likely. */
const shuffled = (items: ReadonlyArray<number>, draw: () => number): ReadonlyArray<number> => {
  const order = [...items]
  for (let last = order.length - 1; last > 0; last--) {
    const index = Math.floor(draw() * (last + 1))
    const [one, other] = [order[last], order[index]]
    if (one === undefined || other === undefined) continue
    order[last] = other
    order[index] = one
  }
  return order
}
