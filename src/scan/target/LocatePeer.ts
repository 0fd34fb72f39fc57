import { Effect, Layer, Option } from "effect"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import { Reports } from "../../history/report/Reports.ts"
import { type ListedPeer, multiaddrsOf, readListedPeer, recordOf } from "../../host/beacon-api/ListedPeer.ts"
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
            Option.map(({ enr, multiaddrs }): Located => ({
              multiaddrs,
              record: Option.flatMap(enr, recordOf(peerId)),
              from: "address book"
            }))
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
  (listed: ListedPeer): Located => {
    const { isInbound, record, seen } = readListedPeer(peerId, listed)
    const ofRecord = Option.match(record, { onNone: () => [], onSome: ({ multiaddrs }) => multiaddrs })
    return {
      multiaddrs: [...new Set(isInbound ? [...ofRecord, ...seen] : [...seen, ...ofRecord])],
      record,
      from: "beacon node"
    }
  }

const recordedAt = (peerId: PeerId, address: string | null): Option.Option<Located> =>
  Option.map(Option.fromNullable(address), (address) => ({
    multiaddrs: multiaddrsOf(address, peerId),
    record: Option.none(),
    from: "history"
  }))
