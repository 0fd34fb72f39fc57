/**
 * Who holds how many of the streams that may be open at once. Everyone has a small share, over all of its connections.
 * When all are taken, whoever comes takes the place of one that is held by an identity that has several, or of one on
 * which nothing was asked for a while; so a few who hold what they can do not keep others out.
 */
export interface StreamShares {
  /** Room for one more stream of `peerId` at `now` (milliseconds), or nothing. `reset` may be called later on. */
  readonly take: (peerId: string, now: number, reset: () => void) => HeldStream | undefined
}

/** One stream that is held. */
export interface HeldStream {
  /** Its request has come. */
  readonly asked: () => void
  /** It is over. */
  readonly release: () => void
}

export interface ShareLimits {
  /** Streams of one identity. */
  readonly perIdentity: number
  /** Streams altogether. */
  readonly total: number
}

export const makeStreamShares = ({ perIdentity, total }: ShareLimits): StreamShares => {
  const held = new Map<string, Set<Entry>>()
  /** In the order in which they were opened. */
  const unasked = new Set<Entry>()
  let count = 0

  const remove = (entry: Entry): void => {
    unasked.delete(entry)
    const own = held.get(entry.peerId)
    if (own === undefined || !own.delete(entry)) return
    count--
    if (own.size === 0) held.delete(entry.peerId)
  }

  const evict = (entry: Entry): boolean => {
    remove(entry)
    entry.reset()
    return true
  }

  /** Makes room when there is none, by the stream of someone who is worth less of it. */
  const makeRoom = (own: number, now: number): boolean => {
    let most: Set<Entry> | undefined
    for (const entries of held.values()) if (entries.size > (most?.size ?? 0)) most = entries
    // Afterwards the newcomer must not be the one who has more.
    if (most !== undefined && most.size >= own + 2) {
      const entries = [...most]
      const last = entries.find((entry) => unasked.has(entry)) ?? entries.at(-1)
      return last !== undefined && evict(last)
    }
    const [oldest] = unasked
    return oldest !== undefined && own === 0 && now - oldest.since >= patienceMs && evict(oldest)
  }

  return {
    take: (peerId, now, reset) => {
      const own = held.get(peerId)?.size ?? 0
      if (own >= perIdentity || (count >= total && !makeRoom(own, now))) return undefined
      const entry: Entry = { peerId, since: now, reset }
      held.set(peerId, (held.get(peerId) ?? new Set<Entry>()).add(entry))
      unasked.add(entry)
      count++
      return { asked: () => unasked.delete(entry), release: () => remove(entry) }
    }
  }
}

interface Entry {
  readonly peerId: string
  /** Milliseconds. */
  readonly since: number
  readonly reset: () => void
}

/** A request is there at once, as a rule: only after so long does its stream have to make room. */
const patienceMs = 1000

/** One stream that counts in several accounts: in all of them, or in none. */
export const takeOfAll = (
  accounts: ReadonlyArray<StreamShares>,
  peerId: string,
  now: number,
  reset: () => void
): HeldStream | undefined => {
  const taken: Array<HeldStream> = []
  const release = (): void => taken.forEach((one) => one.release())
  for (const account of accounts) {
    const one = account.take(peerId, now, reset)
    if (one === undefined) {
      release()
      return undefined
    }
    taken.push(one)
  }
  return { asked: () => taken.forEach((one) => one.asked()), release }
}
