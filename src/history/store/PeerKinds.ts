/** As what a peer's probes of one day are summed up: what it called itself, and how much it claimed. */
export interface PeerKind {
  readonly agent: string
  readonly custodyGroupCount: number
}

/** By number of the peer: its kinds of the newest day. */
export type PeerKinds = Map<number, { readonly day: number; readonly kinds: Array<PeerKind> }>

/** Each is a row a day. A peer that is another one with every probe has no more of them than one that is updated. */
const mostKinds = 8

/** The kind by which a probe of a peer is summed up: its own, or the last before there were too many on that day. */
export const kindOnDay = (known: PeerKinds, peer: number, day: number, kind: PeerKind): PeerKind => {
  const before = known.get(peer)
  const today = before?.day === day ? before : { day, kinds: [] }
  if (today !== before) known.set(peer, today)
  const same = today.kinds.find(
    ({ agent, custodyGroupCount }) => agent === kind.agent && custodyGroupCount === kind.custodyGroupCount
  )
  if (same !== undefined) return same
  const last = today.kinds.at(-1)
  if (last !== undefined && today.kinds.length >= mostKinds) return last
  today.kinds.push(kind)
  return kind
}
