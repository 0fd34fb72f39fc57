import { dropOldest, setNewest } from "../Bounded.ts"
import type { PeerId, Root } from "../Primitives.ts"
import { counted } from "../Text.ts"

/** What one probe says of a block: which of its columns the peer gave, and which it owes and lacks. */
interface HeardOfBlock {
  readonly peerId: PeerId
  readonly root: Root
  readonly present: ReadonlyArray<number>
  readonly absent: ReadonlyArray<number>
  /** Those that it did not have when the block was so new that nobody need have them: that speaks of the block alone. */
  readonly early?: ReadonlyArray<number>
  /** Unix milliseconds. */
  readonly at: number
}

/** Who lacks a column of a block, and what is known of the other peers. */
export interface Lacking {
  readonly peerId: PeerId
  readonly root: Root
  readonly column: number
  /** Unix milliseconds. */
  readonly now: number
}

/**
 * Whether a column of a block was published at all, by what all peers together have of it. Of a block whose proposer kept
 * columns back, honest peers lack what they owe; that many of them do is no proof against one. Mutable; one owner.
 */
export interface Publication {
  readonly hear: (heard: HeardOfBlock) => void
  /** Why nothing is held against a peer that lacks the column; a sentence. */
  readonly doubt: (lacking: Lacking) => string | undefined
  /** The columns of a block that somebody else than the peer gave. */
  readonly given: (root: Root, than: PeerId) => ReadonlySet<number>
  /** These blocks, and no others, are about to be asked about: they are waited for up to twice as long. */
  readonly await: (roots: ReadonlySet<Root>) => void
}

export interface PublicationOptions {
  /** For how long others are waited for, from when a peer was seen to lack something of a block; 0 for not at all. */
  readonly patienceMs: number
  /** Unix milliseconds from which on it is said who is there: before, that others were not heard of says nothing. */
  readonly othersKnownFrom: number
}

/**
 * Distinct columns that others gave, for each that they lack too and nobody gave, and one more: where half of the columns
 * were withheld, one block in 2^12 would seem to be whole to those that are asked first.
 */
const enough = 12
const enoughLate = 6

/**
 * A column was published if somebody else gave it. If nobody did, and no other sound peer lacks it, it counts as published
 * as soon as others, between them, gave twelve columns of the block, and twelve more for each that sound peers lack and nobody
 * gave. Sound is who lacked nothing of most blocks, or something of three at most: after a restart nobody has given anything
 * yet, and what honest peers lack is asked for first. Six that others gave are enough after `patienceMs`, and none where the
 * peer itself is not sound, or there are fewer than four others that are, as long as those lack none of the block. That the
 * others follow from 64 columns does not mean that anyone has made them.
 */
export const makePublication = ({ othersKnownFrom, patienceMs }: PublicationOptions): Publication => {
  let awaited: ReadonlySet<Root> = new Set()
  const blocks = new Map<Root, Known>()
  const suspected = new Map<Root, Known>()
  const peers = new Map<PeerId, Tally>()

  const isSound = (peerId: PeerId): boolean => {
    const tally = peers.get(peerId)
    return tally === undefined || tally.lacking <= mostForgiven || tally.whole > tally.lacking
  }

  const count = (peerId: PeerId, of: keyof Tally): void => {
    const before = peers.get(peerId) ?? { whole: 0, lacking: 0 }
    const after = { ...before, [of]: before[of] + 1 }
    const isFull = after.whole + after.lacking > mostCounted
    setNewest(peers, peerId, isFull ? { whole: after.whole / 2, lacking: after.lacking / 2 } : after, mostPeers)
  }

  const known = (root: Root): Known => {
    const found = suspected.get(root) ?? blocks.get(root)
    if (found !== undefined) return found
    const made: Known = { present: new Map(), absent: new Map(), whole: new Set(), lackers: new Map() }
    blocks.set(root, made)
    dropOldest(blocks, mostBlocks)
    return made
  }

  const hear = ({ absent, at, early = [], peerId, present, root }: HeardOfBlock): void => {
    const one = known(root)
    for (const column of present) {
      const before = one.present.get(column)
      one.present.set(column, before === undefined || before === peerId ? peerId : several)
      // Once it was given, who else lacks it says nothing of the block.
      one.absent.delete(column)
    }
    note(one, early, peerId)
    if (absent.length === 0) {
      if (early.length === 0 && present.length > 0 && !one.whole.has(peerId) && one.whole.size < mostWhole) {
        one.whole.add(peerId)
        count(peerId, "whole")
      }
      return
    }
    if (!one.lackers.has(peerId) && one.lackers.size < mostLackers) {
      one.lackers.set(peerId, at)
      count(peerId, "lacking")
    }
    note(one, absent, peerId)
    blocks.delete(root)
    suspected.set(root, one)
    dropOldest(suspected, mostSuspected)
  }

  /** Of those that lack a column, whoever is sound comes before whoever is not. */
  const note = ({ absent, present }: Known, columns: ReadonlyArray<number>, peerId: PeerId): void => {
    for (const column of columns) {
      if (present.has(column)) continue
      const lacking = absent.get(column) ?? new Set<PeerId>()
      absent.set(column, lacking)
      if (lacking.has(peerId)) continue
      if (lacking.size >= mostLacking) {
        const unsound = isSound(peerId) ? [...lacking].find((other) => !isSound(other)) : undefined
        if (unsound === undefined) continue
        lacking.delete(unsound)
      }
      lacking.add(peerId)
    }
  }

  const given = (root: Root, than: PeerId): ReadonlySet<number> => {
    const columns = new Set<number>()
    for (const [column, by] of (suspected.get(root) ?? blocks.get(root))?.present ?? [])
      if (by !== than) columns.add(column)
    return columns
  }

  /** Whether others were waited for long enough. One that was never heard of is judged by someone who waits by himself. */
  const isLate = (one: Known | undefined, { now, peerId, root }: Lacking): boolean => {
    const isFull = one !== undefined && one.lackers.size >= mostLackers
    const since = one?.lackers.get(peerId) ?? (isFull ? now : -Infinity)
    return now - since >= (awaited.has(root) ? 2 : 1) * patienceMs
  }

  const doubt = (about: Lacking): string | undefined => {
    const { column, now, peerId, root } = about
    const one = suspected.get(root) ?? blocks.get(root)
    const others = given(root, peerId)
    if (others.has(column)) return undefined
    const isLackedBySound = (by: ReadonlySet<PeerId>): boolean =>
      [...by].some((other) => other !== peerId && isSound(other))
    const lacked = [...(one?.absent ?? [])].filter(([, by]) => isLackedBySound(by)).map(([column]) => column)
    const lacking = lacked.length
    if (!lacked.includes(column) && others.size >= enough * (1 + lacking)) return undefined
    const isAlone = now >= othersKnownFrom && !hasOthers(peerId)
    const isHeard = patienceMs === 0 || others.size >= enoughLate || !isSound(peerId)
    if (lacking === 0 && (isAlone || (isHeard && isLate(one, about)))) return undefined
    return lacking === 0
      ? `nobody else has given this column, and only ${others.size} others of its block: more are waited for`
      : `other peers that are sound elsewhere lack ${counted(lacking, "column")} of its block, and gave ${others.size}: it may not have been published`
  }

  /** Whether there are others who can be heard about a block. */
  const hasOthers = (accused: PeerId): boolean => {
    let sound = 0
    for (const peerId of peers.keys()) if (peerId !== accused && isSound(peerId) && ++sound >= leastOthers) return true
    return false
  }

  return {
    hear,
    doubt,
    given,
    await: (roots) => {
      awaited = roots
    }
  }
}

/** A block, as it was heard of. */
interface Known {
  /** Who gave a column: one peer, or several. */
  readonly present: Map<number, PeerId | typeof several>
  /** Who lacks a column that nobody gave. */
  readonly absent: Map<number, Set<PeerId>>
  /** Who lacked nothing that it was asked for, in some conversation. */
  readonly whole: Set<PeerId>
  /** Who ever lacked any, and since when it is known: Unix milliseconds. */
  readonly lackers: Map<PeerId, number>
}

/** Of how many blocks a peer lacked nothing that it was asked for, and of how many something: the old ones count half. */
interface Tally {
  readonly whole: number
  readonly lacking: number
}

const several = Symbol("several peers")
/** Blocks that nobody lacked anything of: what others gave before the first was suspected. */
const mostBlocks = 1024
/** Blocks of which somebody lacked something: some 10 MB, at the few columns that are asked of each. */
const mostSuspected = 8192
/** Peers that lack one column, and those that lack any of a block. */
const mostLacking = 8
const mostLackers = 64
/** Peers that a block speaks for; it says nothing of the others. */
const mostWhole = 64
const mostPeers = 16_384
/** Blocks of which a peer may lack something and count as sound, whatever it gave. */
const mostForgiven = 3
const mostCounted = 2048
/** Sound peers beside the one in question, from which on others are waited for. */
const leastOthers = 4
