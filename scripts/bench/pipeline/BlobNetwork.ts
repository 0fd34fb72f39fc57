import { Clock, Effect, Either, Option, Schema, type Scope } from "effect"
import { DevnetAnnouncement } from "../../../src/devnet/RunDevnet.ts"
import { decodeNodeRecord } from "../../../src/domain/peer/NodeRecord.ts"
import { firstLineOf } from "../FirstLine.ts"

/** Peers that can be asked, in other processes. */
export interface BlobNetwork {
  readonly beaconApi: string
  /** ENRs of supernodes, and of peers that keep eight columns. */
  readonly enrs: ReadonlyArray<string>
}

/** One chain whose blocks have so many blobs, and two processes that serve it; they end with the scope. */
export const blobNetwork = (blobs: number): Effect.Effect<BlobNetwork, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const genesisTime = Math.floor((yield* Clock.currentTimeMillis) / 1000) - historySeconds
    const start = (firstPeer: number, peers: string) =>
      Effect.flatMap(
        firstLineOf(
          new URL("./Blobs.js", import.meta.url),
          [String(blobs), String(genesisTime), String(firstPeer), peers],
          "3 minutes"
        ),
        Schema.decode(Schema.parseJson(DevnetAnnouncement))
      )
    const supernodes = yield* start(0, "supernode:4")
    const others = yield* start(placeOfCustodians, "honest:4")
    const custodians = others.peers.filter(({ enr }) => countOf(enr) === 8)
    if (custodians.length < 2) return yield* Effect.fail("hardly any of the peers keeps eight columns")
    return {
      beaconApi: supernodes.beaconApi,
      enrs: [...supernodes.peers, ...custodians].map(({ enr }) => enr)
    }
  })

/** Nine epochs of mainnet's slots; the limit that every block fills is that of the fourth, which begins at `firstSlot`. */
const historySeconds = 9 * 32 * 12
export const firstSlot = 3 * 32

/** An honest peer keeps any number of columns from 4 to 8: by the seed, these four in a row keep 8. */
const placeOfCustodians = 522

const countOf = (enr: string): number | undefined =>
  decodeNodeRecord(enr).pipe(
    Either.getRight,
    Option.flatMap(({ custodyGroupCount }) => custodyGroupCount),
    Option.getOrUndefined
  )
