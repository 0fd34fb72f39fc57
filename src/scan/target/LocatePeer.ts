import { Effect, Either, Layer, Option } from "effect"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import { decodeNodeRecord } from "../../domain/peer/NodeRecord.ts"
import { parsePeerAddress } from "../../domain/peer/PeerAddress.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import { Reports } from "../../history/report/Reports.ts"
import type { ListedPeer } from "../../host/beacon-api/FindPeer.ts"
import { type Located, Locator } from "./Locator.ts"

/** Where a peer may be looked up; whoever fails knows nothing of it. */
export interface LocatorSources {
  /** The peers of the beacon node. */
  readonly listed: (peerId: PeerId) => Effect.Effect<Option.Option<ListedPeer>, unknown>
  /** The address book of a monitor; left out where there is none. */
  readonly remembered?: ((peerId: PeerId) => Effect.Effect<Option.Option<BookEntry>, unknown>) | undefined
}

/**
 * Knows what the beacon node knows of its peers, what an address book does and, where there is a history (`Reports`),
 * where they were met.
 */
export const layer = (sources: LocatorSources): Layer.Layer<Locator> =>
  Layer.effect(
    Locator,
    Effect.map(Effect.serviceOption(Reports), (reports) =>
      Locator.of({
        find: (peerId) => {
          const listed = Effect.map(sources.listed(peerId), Option.map(locatedBy(peerId)))
          const remembered = Effect.map(
            sources.remembered?.(peerId) ?? Effect.succeedNone,
            Option.map(({ enr, multiaddrs }): Located => ({ multiaddrs, enr, from: "address book" }))
          )
          const recorded = Option.match(reports, {
            onNone: () => Effect.succeedNone,
            onSome: ({ peer }) =>
              Effect.map(peer({ peerId, failingSince: 0 }), (record) => recordedAt(peerId, record?.address ?? null))
          })
          return Effect.forEach([listed, remembered, recorded], (source) =>
            source.pipe(Effect.timeout("10 seconds"), Effect.orElseSucceed(Option.none<Located>))
          ).pipe(Effect.map((found) => found.flatMap(Option.toArray)))
        }
      })
    )
  )

const locatedBy =
  (peerId: PeerId) =>
  ({ direction, enr, last_seen_p2p_address: seen }: ListedPeer): Located => {
    // A node that lists the record of another peer would have us dial, and judge by, the wrong one.
    const record = Option.filter(
      Option.flatMap(Option.fromNullable(enr), (enr) => Either.getRight(decodeNodeRecord(enr))),
      (record) => record.peerId === peerId
    )
    const ofRecord = Option.match(record, { onNone: () => [], onSome: ({ enr }) => addressesIn(enr, peerId) })
    const lastSeen = seen === null ? [] : addressesIn(seen, peerId)
    const all = direction === "inbound" ? [...ofRecord, ...lastSeen] : [...lastSeen, ...ofRecord]
    return {
      multiaddrs: [...new Set(all)],
      enr: Option.map(record, ({ enr }) => enr),
      from: "beacon node"
    }
  }

const recordedAt = (peerId: PeerId, address: string | null): Option.Option<Located> =>
  Option.map(Option.fromNullable(address), (address) => ({
    multiaddrs: addressesIn(address, peerId),
    enr: Option.none(),
    from: "history"
  }))

/** Those of an ENR, or of a multiaddr with or without its `/p2p/…`; of another peer none. */
const addressesIn = (text: string, peerId: PeerId): ReadonlyArray<string> => {
  const named = text.startsWith("/") && !text.includes("/p2p/") ? `${text}/p2p/${peerId}` : text
  return Option.match(Either.getRight(parsePeerAddress(named)), {
    onNone: () => [],
    onSome: (address) => (address.peerId === peerId ? address.multiaddrs : [])
  })
}
