import type { ClientFamily } from "../peer/ClientFamily.ts"
import type { PeerId } from "../Primitives.ts"

/** Whom an answer comes from, as far as answers can be independent of each other. */
export interface Witness {
  readonly peerId: PeerId
  readonly family: ClientFamily
  /** Whom its address belongs to (`addressGroup`). */
  readonly group: string
}

/** A peer that could be asked now. */
export interface Candidate extends Witness {
  /** Columns of the slot that it claims to keep. */
  readonly columns: ReadonlySet<number>
  /** How far it can be relied on: its score, 0 to 1, and a bonus for a provider. */
  readonly score: number
  /** Whether it says that its head has reached the slot. */
  readonly hasReached: boolean
}

/** A column that somebody is to be asked for. */
export interface Wanted {
  readonly column: number
  /** Who was asked for it before: not asked again, and others than their like are preferred. */
  readonly askedOf: ReadonlyArray<Witness>
}

/** What one peer is to be asked for. */
export interface Assignment {
  readonly witness: Witness
  readonly columns: ReadonlyArray<number>
}

/**
 * Chooses a peer for each column that somebody can be asked for. No peer is given two columns of one slot, `load` counted
 * in, while another one could take one of them (a matching of greatest size in each layer of load); among those that are as
 * good, whom the score is for, whose like was not asked yet, and whose head has reached the slot.
 *
 * @param load how many columns of the slot each peer was given before
 * @param mostLoad columns of one slot that a peer may be given
 */
export const chooseWitnesses = (
  wanted: ReadonlyArray<Wanted>,
  candidates: ReadonlyArray<Candidate>,
  load: ReadonlyMap<PeerId, number>,
  { draw, mostLoad }: { readonly draw: () => number; readonly mostLoad: number }
): ReadonlyArray<Assignment> => {
  const given = new Map(candidates.map((candidate) => [candidate, new Set<Wanted>()]))
  const takenBy = new Map<Wanted, Candidate>()
  const luck = new Map(candidates.map((candidate) => [candidate, draw()]))
  const likes = countLikes([])
  const asked = new Map(wanted.map(({ askedOf, column }) => [column, countLikes(askedOf)]))

  const valueFor = (candidate: Candidate, one: Wanted): number => {
    const own = asked.get(one.column)
    return (
      candidate.score -
      (likes.of(candidate) / Math.max(1, wanted.length) + 2 * (own?.of(candidate) ?? 0)) +
      (candidate.hasReached ? reachedBonus : 0) +
      (luck.get(candidate) ?? 0) * jitter
    )
  }
  const couldServe = new Map(
    wanted.map((one) => {
      const before = new Set(one.askedOf.map(({ peerId }) => peerId))
      return [one, candidates.filter(({ columns, peerId }) => columns.has(one.column) && !before.has(peerId))]
    })
  )
  const place = (one: Wanted, room: (candidate: Candidate) => number, seen: Set<Candidate>): boolean => {
    const choices = (couldServe.get(one) ?? []).filter((candidate) => !seen.has(candidate))
    // Whoever has room is taken before anyone is moved.
    const free = best(choices, one, (candidate) => (given.get(candidate)?.size ?? 0) < room(candidate))
    if (free !== undefined) return give(one, free)
    for (const candidate of choices) {
      if (seen.has(candidate)) continue
      seen.add(candidate)
      if (room(candidate) <= 0) continue
      for (const other of given.get(candidate) ?? []) {
        if (place(other, room, seen)) return give(one, candidate)
      }
    }
    return false
  }
  const best = (choices: ReadonlyArray<Candidate>, one: Wanted, isFree: (candidate: Candidate) => boolean) => {
    let found: { readonly candidate: Candidate; readonly value: number } | undefined
    for (const candidate of choices) {
      if (!isFree(candidate)) continue
      const value = valueFor(candidate, one)
      if (found === undefined || value > found.value) found = { candidate, value }
    }
    return found?.candidate
  }
  const give = (one: Wanted, candidate: Candidate): true => {
    const before = takenBy.get(one)
    if (before !== undefined) {
      given.get(before)?.delete(one)
      likes.add(before, -1)
    }
    takenBy.set(one, candidate)
    given.get(candidate)?.add(one)
    likes.add(candidate, 1)
    return true
  }

  for (let layer = 1; layer <= mostLoad && takenBy.size < wanted.length; layer++) {
    const room = ({ peerId }: Candidate): number => layer - (load.get(peerId) ?? 0)
    for (const one of wanted) if (!takenBy.has(one)) place(one, room, new Set())
  }
  return [...given].flatMap(([{ family, group, peerId }, columns]) =>
    columns.size === 0
      ? []
      : [
          {
            witness: { peerId, family, group },
            columns: Array.from(columns, ({ column }) => column).sort((a, b) => a - b)
          }
        ]
  )
}

/** Says of a peer how many of its client and of its address group there are. */
const countLikes = (witnesses: ReadonlyArray<Witness>) => {
  const families = new Map<string, number>()
  const groups = new Map<string, number>()
  const add = ({ family, group }: Witness, by: number): void => {
    families.set(family, (families.get(family) ?? 0) + by)
    groups.set(group, (groups.get(group) ?? 0) + by)
  }
  for (const witness of witnesses) add(witness, 1)
  return {
    add,
    of: ({ family, group }: Witness): number => (families.get(family) ?? 0) + (groups.get(group) ?? 0)
  }
}

/** What it is worth that a peer says it has the block: only its answer can say that a column is absent. */
const reachedBonus = 0.5
/** Tells apart those that are as good, so that not the same ones are asked each time. */
const jitter = 0.1
