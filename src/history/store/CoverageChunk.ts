import {
  clearColumn,
  columnsOf,
  emptyMask,
  isEmpty,
  maskBytes,
  pack,
  packedBytes,
  setColumn,
  unite,
  unpack
} from "../../domain/column/ColumnMask.ts"

/**
 * What was tested of one peer in 128 neighbouring slots: the unit in which coverage is kept on disk.
 *
 * A row a slot would cost some 50 bytes for the 8 columns of a regular peer; this costs about 2.
 */
export interface CoverageChunk {
  /** 128 masks, one a slot. */
  readonly succeeded: Uint8Array
  /** 128 masks, one a slot. */
  readonly failed: Uint8Array
  /** 128 moments in Unix milliseconds; 0 for a slot that was not tested. */
  readonly testedAt: Float64Array
}

export const slotsPerChunk = 128

export const chunkOf = (slot: number): number => Math.floor(slot / slotsPerChunk)

/** The key of a peer's chunk in the table `coverage`. */
export const chunkKey = (peer: number, chunk: number): number => chunk * peersPerChunk + peer
export const chunkOfKey = (key: number): number => Math.floor(key / peersPerChunk)

const peersPerChunk = 2 ** 24

export const emptyChunk = (): CoverageChunk => ({
  succeeded: new Uint8Array(slotsPerChunk * maskBytes),
  failed: new Uint8Array(slotsPerChunk * maskBytes),
  testedAt: new Float64Array(slotsPerChunk)
})

/** Lets the newest outcome of each of `columns` decide. */
export const cover = (
  chunk: CoverageChunk,
  slot: number,
  columns: ReadonlyArray<number>,
  succeeded: boolean,
  at: number
): void => {
  const index = slot % slotsPerChunk
  const [to, from] = succeeded ? [chunk.succeeded, chunk.failed] : [chunk.failed, chunk.succeeded]
  for (const column of columns) {
    setColumn(to, index * maskBytes, column)
    clearColumn(from, index * maskBytes, column)
  }
  chunk.testedAt[index] = Math.max(chunk.testedAt[index] ?? 0, at)
}

/** Makes a slot untested. */
export const clearSlot = (chunk: CoverageChunk, slot: number): void => {
  const index = slot % slotsPerChunk
  chunk.succeeded.fill(0, index * maskBytes, (index + 1) * maskBytes)
  chunk.failed.fill(0, index * maskBytes, (index + 1) * maskBytes)
  chunk.testedAt[index] = 0
}

/** Unix milliseconds of the newest test of a slot; 0 for none. */
export const testedAt = (chunk: CoverageChunk, slot: number): number => chunk.testedAt[slot % slotsPerChunk] ?? 0

export const isUntested = (chunk: CoverageChunk): boolean => testedSlots(chunk).length === 0

export const copyOf = (chunk: CoverageChunk): CoverageChunk => ({
  succeeded: chunk.succeeded.slice(),
  failed: chunk.failed.slice(),
  testedAt: chunk.testedAt.slice()
})

/**
 * The form on disk: the mask of columns that occur; the mask of slots that were tested; the succeeded columns of each,
 * packed; the mask of slots with a failed column; the failed columns of each, packed; then the moments, as runs of
 * (number of tested slots less one: 1 byte, moment: float64) to the end.
 */
export const encodeChunk = (chunk: CoverageChunk): Uint8Array => {
  const tested = testedSlots(chunk)
  const broken = tested.filter((index) => !isEmpty(chunk.failed, index * maskBytes))
  const palette = emptyMask()
  for (const index of tested) unite(palette, chunk.succeeded, index * maskBytes)
  for (const index of broken) unite(palette, chunk.failed, index * maskBytes)
  const columns = columnsOf(palette)
  const width = packedBytes(columns)
  const runs = runsOf(tested.map((index) => chunk.testedAt[index] ?? 0))
  const out = new Uint8Array(3 * maskBytes + (tested.length + broken.length) * width + runs.length * runBytes)
  out.set(palette)
  let offset = maskBytes
  const section = (slots: ReadonlyArray<number>, masks: Uint8Array): void => {
    for (const index of slots) setColumn(out, offset, index)
    offset += maskBytes
    for (const index of slots) {
      pack(masks, index * maskBytes, columns, out, offset)
      offset += width
    }
  }
  section(tested, chunk.succeeded)
  section(broken, chunk.failed)
  const view = new DataView(out.buffer)
  for (const run of runs) {
    view.setUint8(offset, run.length - 1)
    view.setFloat64(offset + 1, run.at)
    offset += runBytes
  }
  return out
}

/** Reads what `encodeChunk` wrote. */
export const decodeChunk = (bytes: Uint8Array): CoverageChunk => {
  const chunk = emptyChunk()
  const columns = columnsOf(bytes)
  const width = packedBytes(columns)
  let offset = maskBytes
  const section = (masks: Uint8Array): ReadonlyArray<number> => {
    const slots = columnsOf(bytes, offset)
    offset += maskBytes
    for (const index of slots) {
      unpack(bytes, offset, columns, masks, index * maskBytes)
      offset += width
    }
    return slots
  }
  const tested = section(chunk.succeeded)
  section(chunk.failed)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let next = 0; next < tested.length; offset += runBytes) {
    const length = view.getUint8(offset) + 1
    const at = view.getFloat64(offset + 1)
    for (const index of tested.slice(next, next + length)) chunk.testedAt[index] = at
    next += length
  }
  return chunk
}

const runBytes = 9

/** A slot counts as tested by its columns, not by its moment: a clock may say 0. */
const testedSlots = (chunk: CoverageChunk): ReadonlyArray<number> => {
  const slots: Array<number> = []
  for (let index = 0; index < slotsPerChunk; index++) {
    const at = index * maskBytes
    if (!isEmpty(chunk.succeeded, at) || !isEmpty(chunk.failed, at)) slots.push(index)
  }
  return slots
}

const runsOf = (moments: ReadonlyArray<number>): ReadonlyArray<{ at: number; length: number }> => {
  const runs: Array<{ at: number; length: number }> = []
  for (const at of moments) {
    const last = runs.at(-1)
    if (last !== undefined && last.at === at) last.length++
    else runs.push({ at, length: 1 })
  }
  return runs
}
