import { Context, Layer, Stream } from "effect"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"

/** Where a node record may come from. */
export const discoverySources = ["config", "discv5", "beacon_node", "file", "api"] as const
export type DiscoverySource = (typeof discoverySources)[number]

/** A node that a source has heard of. The same node may come again, from any source, at any time. */
export interface NodeFound {
  readonly address: PeerAddress
  readonly source: DiscoverySource
  /** The text form of its ENR, where that is known. */
  readonly enr?: string
  /** Sequence number of that ENR. */
  readonly seq?: bigint
}

/** Where peers come from. Each source is a layer; several are merged to one. Never fails: a source that has trouble says so, and goes on. */
export class Discovery extends Context.Tag("dasmon/Discovery")<
  Discovery,
  {
    /** What is found while someone listens. Bounded: what nobody takes is dropped, and found again. */
    readonly found: Stream.Stream<NodeFound>
  }
>() {
  /** These and no others; for tests, and for hosts that know their peers. */
  static readonly layerOf = (nodes: Stream.Stream<NodeFound>) =>
    Layer.succeed(Discovery, Discovery.of({ found: nodes }))
  static readonly layerNone = Layer.succeed(Discovery, Discovery.of({ found: Stream.never }))
}

/** All of these sources as one. */
export const merged = (sources: ReadonlyArray<Discovery["Type"]>): Discovery["Type"] => ({
  found: Stream.mergeAll(
    sources.map(({ found }) => found),
    { concurrency: "unbounded" }
  )
})
