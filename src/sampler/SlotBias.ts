/** Where in the allowed slots a job starts; see `placeOf`. */
export type SlotBias = "uniform" | "recent" | "historical" | "heavily_recent" | "heavily_historical"

/**
 * A place in [0, 1), 0 the oldest allowed slot and 1 the newest, from a draw that is uniform in [0, 1): the inverse of
 * the distribution function. Densities: `uniform` 1, `recent` 2x, `historical` 2(1-x), `heavily_recent` 4x³,
 * `heavily_historical` 4(1-x)³.
 */
export const placeOf = (bias: SlotBias, draw: number): number => {
  switch (bias) {
    case "uniform":
      return draw
    case "recent":
      return Math.sqrt(draw)
    case "historical":
      return 1 - Math.sqrt(1 - draw)
    case "heavily_recent":
      return Math.sqrt(Math.sqrt(draw))
    case "heavily_historical":
      return 1 - Math.sqrt(Math.sqrt(1 - draw))
  }
}
