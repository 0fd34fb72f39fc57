import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Schema } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { blobsOf } from "../chain/BlobPool.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { DevnetError } from "../DevnetError.ts"
import { Account } from "../peer/Ledger.ts"
import { badRequest, data, get, notFound, route } from "./Endpoint.ts"
import type { Habits } from "./Habits.ts"

/** A peer, as the beacon node of the devnet lists it. */
export interface ListedPeer {
  readonly peerId: string
  readonly enr: string
  readonly multiaddr: string
}

/** The beacon node that the API speaks for. It has no libp2p node of its own: all the network's peers are listed as its. */
export interface BeaconNode {
  readonly version: string
  readonly identity: { readonly peerId: string; readonly enr: string }
  readonly peers: Effect.Effect<ReadonlyArray<ListedPeer>>
  /** What each of them did to others. */
  readonly accounts: Effect.Effect<ReadonlyArray<PeerAccount>>
}

/** What one peer of the devnet did to others. */
export const PeerAccount = Schema.Struct({ profile: Schema.String, peerId: Schema.String, ...Account.fields })
export type PeerAccount = typeof PeerAccount.Type

/**
 * `/eth/v1/node/*`, and the handles by which a test makes a reorg, restarts the node, or reads whom the peers have banned,
 * what the blobs of a block were, and which of its columns were published.
 */
export const nodeRoutes = (chain: DevChain, node: BeaconNode, habits: Habits) => [
  get("/eth/v1/node/version", () => Effect.succeed(data({ version: node.version }))),
  get("/eth/v1/node/health", () => Effect.succeed(HttpServerResponse.empty({ status: 200 }))),
  get("/eth/v1/node/syncing", () =>
    Effect.map(chain.state, (state) =>
      data({
        head_slot: String(state.head.slot),
        sync_distance: habits.isSyncing ? "64" : "0",
        is_syncing: habits.isSyncing,
        is_optimistic: habits.isOptimistic,
        el_offline: false
      })
    )
  ),
  get("/eth/v1/node/identity", () =>
    Effect.succeed(
      data({
        peer_id: node.identity.peerId,
        enr: node.identity.enr,
        p2p_addresses: [],
        discovery_addresses: [],
        metadata: { seq_number: "1", attnets: "0x0000000000000000", syncnets: "0x00", custody_group_count: "4" }
      })
    )
  ),
  get("/eth/v1/node/peers", (request) =>
    Effect.map(node.peers, (peers) => {
      const wanted = (name: string, value: string) => {
        const values = request.query(name).flatMap((values) => values.split(","))
        return values.length === 0 || values.includes(value)
      }
      const listed = wanted("state", "connected") && wanted("direction", "outbound") ? peers.map(peerJson) : []
      return data(listed, { meta: { count: listed.length } })
    })
  ),
  get("/eth/v1/node/peers/:id", (request) =>
    Effect.flatMap(node.peers, (peers) => {
      const peer = peers.find((peer) => peer.peerId === request.path("id"))
      return peer === undefined ? Effect.fail(notFound("there is no such peer")) : Effect.succeed(data(peerJson(peer)))
    })
  ),
  get("/devnet/accounts", () => Effect.map(node.accounts, (accounts) => data(accounts))),
  get("/devnet/blobs", (request) =>
    Effect.flatMap(chain.state, ({ canonical }) => {
      const block = canonical.get(Number(request.query("slot")[0] ?? "none"))
      if (block === undefined) return Effect.fail(notFound("there is no block at this slot"))
      const blobs = blobsOf(chain.pool, block).map(toHex)
      return Effect.succeed(data({ root: block.root, blobs, published: [...block.published].sort((a, b) => a - b) }))
    })
  ),
  route("POST", "/devnet/restart", () => Effect.as(habits.restart, data({}))),
  route("POST", "/devnet/reorg", (request) =>
    chain.reorg(Number(request.query("depth")[0] ?? "1")).pipe(
      Effect.map((reorg) =>
        data({
          slot: String(reorg.newHead.slot),
          depth: String(reorg.depth),
          old_head_block: reorg.oldHead.root,
          new_head_block: reorg.newHead.root
        })
      ),
      Effect.mapError((error: DevnetError) => badRequest(error.reason))
    )
  )
]

const peerJson = (peer: ListedPeer) => ({
  peer_id: peer.peerId,
  enr: peer.enr,
  last_seen_p2p_address: peer.multiaddr,
  state: "connected",
  direction: "outbound"
})
