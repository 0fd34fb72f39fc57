import { numberOfColumns } from "../network/Chain.ts"
import type { ArrivedColumn } from "./BlockArrivals.ts"
import { decodeVarints, encodeVarints } from "./Varints.ts"

/**
 * The columns of a block as they lie on disk, with numbers for peers, five or six bytes a column: a byte for the version (1),
 * then varints, for each column in ascending order
 *
 * - the columns between it and the one before it,
 * - 0 where it did not come though we were on its topic, else 1 + 2z, one more where we were not on it; z is the zigzag
 *   of the milliseconds after the slot's start,
 * - and where it came: the number of the peer, and how many more times.
 *
 * What is beyond the bounds is written as the bound: half an hour, a million copies.
 */
export const encodeArrivals = (columns: ReadonlyArray<ArrivedColumn<number>>): Uint8Array => {
  const values = [version]
  let next = 0
  for (const { arrival, column, isSubscribed } of columns) {
    if (arrival === null && !isSubscribed) continue
    values.push(column - next)
    next = column + 1
    if (arrival === null) values.push(0)
    else {
      const ms = Math.max(-mostMs, Math.min(mostMs, Math.round(arrival.ms)))
      const zigzag = ms < 0 ? -2 * ms - 1 : 2 * ms
      values.push(1 + 2 * zigzag + (isSubscribed ? 0 : 1), arrival.peer, Math.min(mostDuplicates, arrival.duplicates))
    }
  }
  return encodeVarints(values)
}

/** `undefined` for bytes that are not what `encodeArrivals` writes. */
export const decodeArrivals = (bytes: Uint8Array): ReadonlyArray<ArrivedColumn<number>> | undefined => {
  const values = decodeVarints(bytes)
  if (values?.[0] !== version) return undefined
  const columns: Array<ArrivedColumn<number>> = []
  let column = 0
  for (let at = 1; at < values.length;) {
    const [gap, code, peer, duplicates] = values.slice(at, at + 4)
    column += gap ?? 0
    if (code === undefined || column >= numberOfColumns) return undefined
    if (code === 0) {
      columns.push({ column, isSubscribed: true, arrival: null })
      at += 2
    } else {
      if (peer === undefined || duplicates === undefined) return undefined
      const zigzag = Math.floor((code - 1) / 2)
      const ms = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
      columns.push({ column, isSubscribed: code % 2 === 1, arrival: { ms, peer, duplicates } })
      at += 4
    }
    column++
  }
  return columns
}

const version = 1
const mostMs = 1_800_000
const mostDuplicates = 1_000_000
