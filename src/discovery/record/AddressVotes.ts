import { setNewest } from "../../domain/Bounded.ts"
import { familyOf, type UdpEndpoint } from "../../wire/discv5/UdpEndpoint.ts"
import { endpointMultiaddr } from "./OwnAddresses.ts"

/** An address at which others see us, and how many of them do. */
interface Observed extends UdpEndpoint {
  readonly votes: number
}

/** What other nodes say that our packets come from. Each has one vote, its last, for an hour; 256 nodes have one. */
export interface AddressVotes {
  /** `now`: milliseconds. */
  readonly vote: (nodeId: string, seen: UdpEndpoint, now: number) => void
  /** Of each family the address that most nodes see, with the port that most of those see. */
  readonly leaders: (now: number) => ReadonlyArray<Observed>
}

export const makeAddressVotes = (): AddressVotes => {
  const votes = new Map<string, UdpEndpoint & { readonly at: number }>()
  return {
    vote: (nodeId, { host, port }, now) => setNewest(votes, nodeId, { host, port, at: now }, mostVoters),
    leaders: (now) => {
      for (const [nodeId, { at }] of votes) if (now - at > voteMs) votes.delete(nodeId)
      return ([4, 6] as const).flatMap((family) => {
        const hosts = mostCommon(
          [...votes.values()].filter(({ host }) => familyOf(host) === family),
          ({ host }) => host
        )
        return hosts.slice(0, 1).flatMap((same) => {
          const [first] = mostCommon(same, endpointMultiaddr)
          const [vote] = first ?? []
          return vote === undefined ? [] : [{ host: vote.host, port: vote.port, votes: same.length }]
        })
      })
    }
  }
}

const mostVoters = 256
const voteMs = 3_600_000

/** Grouped by a key, the largest group first; of two that are as large, the one that was there first. */
const mostCommon = <A>(entries: ReadonlyArray<A>, key: (entry: A) => string): ReadonlyArray<ReadonlyArray<A>> => {
  const groups = new Map<string, Array<A>>()
  for (const entry of entries) groups.set(key(entry), [...(groups.get(key(entry)) ?? []), entry])
  return [...groups.values()].sort((a, b) => b.length - a.length)
}
