import type { Probe } from "../../../domain/probe/Job.ts"
import { type OutcomeKind, outcomeKinds } from "../../../domain/probe/Outcome.ts"
import {
  columnsOf,
  emptyMask,
  hasColumn,
  maskBytes,
  pack,
  packedBytes,
  setColumn,
  unite,
  unpack
} from "../../../domain/column/ColumnMask.ts"

/** The outcomes of a probe at one block. */
export interface OutcomeSection<Block> {
  readonly slot: number
  readonly block: Block
  /** Columns by outcome; a kind that does not occur is absent. */
  readonly masks: ReadonlyMap<OutcomeKind, Uint8Array>
}

/** What an outcome was held against. */
export interface BlockKey {
  readonly slot: number
  readonly root: string
  readonly blobs: number
}

/** A probe's outcomes by block, ascending by slot. */
export const sectionsOf = (probe: Probe): ReadonlyArray<OutcomeSection<BlockKey>> => {
  const bySlot = new Map<number, Array<OutcomeSection<BlockKey> & { readonly masks: Map<OutcomeKind, Uint8Array> }>>()
  for (const { blobs, blockRoot, column, outcome, slot } of probe.outcomes) {
    let sections = bySlot.get(slot)
    if (sections === undefined) bySlot.set(slot, (sections = []))
    let section = sections.find(({ block }) => block.root === blockRoot && block.blobs === blobs)
    if (section === undefined) {
      section = { slot, block: { slot, root: blockRoot, blobs }, masks: new Map() }
      sections.push(section)
    }
    let mask = section.masks.get(outcome)
    if (mask === undefined) section.masks.set(outcome, (mask = emptyMask()))
    setColumn(mask, 0, column)
  }
  return [...bySlot.values()].flat().sort((a, b) => a.slot - b.slot)
}

/**
 * The form on disk: the mask of columns that occur, then for each section, ascending by slot, as varints: the slot less
 * that of the section before, the number of the block, and the kinds that occur (bit n for the n-th of `outcomeKinds`),
 * followed by the packed mask of each. No kinds at all: every column succeeded.
 */
export const encodeSections = (sections: ReadonlyArray<OutcomeSection<number>>): Uint8Array => {
  const palette = emptyMask()
  for (const { masks } of sections) for (const mask of masks.values()) unite(palette, mask, 0)
  const columns = columnsOf(palette)
  const out: Array<number> = [...palette]
  let before = 0
  for (const { block, masks, slot } of sections) {
    pushVarint(out, slot - before)
    pushVarint(out, block)
    before = slot
    const successes = masks.get("success")
    if (masks.size === 1 && successes !== undefined && columns.every((column) => hasColumn(successes, 0, column))) {
      out.push(0)
      continue
    }
    pushVarint(
      out,
      outcomeKinds.reduce((bits, kind, index) => (masks.has(kind) ? bits | (1 << index) : bits), 0)
    )
    for (const kind of outcomeKinds) {
      const mask = masks.get(kind)
      if (mask === undefined) continue
      const packed = new Uint8Array(packedBytes(columns))
      pack(mask, 0, columns, packed, 0)
      out.push(...packed)
    }
  }
  return Uint8Array.from(out)
}

/** Reads what `encodeSections` wrote. */
export const decodeSections = (bytes: Uint8Array): ReadonlyArray<OutcomeSection<number>> => {
  const palette = bytes.subarray(0, maskBytes)
  const columns = columnsOf(palette)
  const sections: Array<OutcomeSection<number>> = []
  let offset = maskBytes
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[offset++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  let slot = 0
  while (offset < bytes.length) {
    slot += varint()
    const block = varint()
    const kinds = varint()
    const masks = new Map<OutcomeKind, Uint8Array>()
    if (kinds === 0) masks.set("success", palette)
    for (const [index, kind] of outcomeKinds.entries()) {
      if ((kinds & (1 << index)) === 0) continue
      const mask = emptyMask()
      unpack(bytes, offset, columns, mask, 0)
      offset += packedBytes(columns)
      masks.set(kind, mask)
    }
    sections.push({ slot, block, masks })
  }
  return sections
}

const pushVarint = (out: Array<number>, value: number): void => {
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128)
  out.push(rest)
}
