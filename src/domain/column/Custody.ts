import { sha256 } from "@noble/hashes/sha2.js"
import { custodyRequirement, numberOfColumns, numberOfCustodyGroups } from "../network/Chain.ts"

/**
 * get_custody_groups (fulu/das-core.md): the groups that a node with this id keeps, ascending.
 *
 * `nodeId` is 32 bytes, big-endian as discv5 writes it; `count` is 0 to 128. More groups only ever add to fewer.
 */
export const custodyGroups = (nodeId: Uint8Array, count: number): ReadonlyArray<number> => {
  if (!Number.isInteger(count) || count < 0 || count > numberOfCustodyGroups) {
    throw new RangeError(`custody group count ${count} is not within 0..${numberOfCustodyGroups}`)
  }
  if (count === numberOfCustodyGroups) return Array.from({ length: count }, (_, group) => group)
  const groups = new Set<number>()
  const current = Uint8Array.from(nodeId).reverse()
  while (groups.size < count) {
    const [first = 0] = sha256(current)
    groups.add(first % numberOfCustodyGroups)
    increment(current)
  }
  return [...groups].sort((a, b) => a - b)
}

/** Whether a node may say that it keeps so many groups. */
export const isCustodyCount = (count: number): boolean =>
  Number.isInteger(count) && count >= custodyRequirement && count <= numberOfCustodyGroups

/** compute_columns_for_custody_group (fulu/das-core.md). */
export const columnsOfGroup = (group: number): ReadonlyArray<number> =>
  Array.from({ length: numberOfColumns / numberOfCustodyGroups }, (_, index) => numberOfCustodyGroups * index + group)

/** The columns that a node with this id and custody group count keeps, ascending. */
export const custodyColumns = (nodeId: Uint8Array, custodyGroupCount: number): ReadonlyArray<number> =>
  custodyGroups(nodeId, custodyGroupCount)
    .flatMap(columnsOfGroup)
    .sort((a, b) => a - b)

/** Adds one to a little-endian number in place; 2^256-1 becomes 0. */
const increment = (bytes: Uint8Array): void => {
  for (let index = 0; index < bytes.length; index++) {
    const next = ((bytes[index] ?? 0) + 1) & 0xff
    bytes[index] = next
    if (next !== 0) return
  }
}
