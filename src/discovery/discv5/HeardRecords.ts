import { type Clock, Effect, Either, Option, PubSub, Stream } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { type ChainParameters, slotAt } from "../../domain/network/Chain.ts"
import { forkDigestsAround } from "../../domain/network/ForkDigest.ts"
import { farOf } from "../../domain/peer/AddressScope.ts"
import { decodeNodeRecord } from "../../domain/peer/NodeRecord.ts"
import type { NodeFound } from "../Discovery.ts"
import { nodeOfRecord } from "../ReadNode.ts"
import { makeNewestRecords } from "./NewestRecords.ts"

/** What is looked at of a record before its signature is checked once more. */
interface HeardEnr {
  readonly nodeId: string
  readonly seq: bigint
  readonly kvs: ReadonlyMap<string, Uint8Array>
  readonly encodeTxt: () => string
}

/** The nodes of our network, of all whose records come by. */
export interface HeardRecords {
  /** Never throws. */
  readonly hear: (enr: HeardEnr) => void
  /** Those that are known, and then those that are new or newer, or come again after a while. */
  readonly found: Stream.Stream<NodeFound>
  /** By node id, in hexadecimal without `0x`. */
  readonly get: (nodeId: string) => Option.Option<NodeFound>
}

export interface HeardRecordsOptions {
  readonly chain: ChainParameters
  readonly clock: Clock.Clock
  /**
   * Whether nodes of this network may be on this machine, or in a private net. Else such addresses are left out: whoever
   * signs a record writes into it what he likes, and would have us knock at the doors of our own house.
   */
  readonly isNear: boolean
}

/** Lets through whose `eth2` has the fork digest of this moment; near a step those of both sides. */
export const makeHeardRecords = ({ chain, clock, isNear }: HeardRecordsOptions): Effect.Effect<HeardRecords> =>
  Effect.map(PubSub.sliding<NodeFound>(mostWaiting), (news) => {
    const newest = makeNewestRecords<Option.Option<NodeFound>>(mostKnown, againMs)
    let current = { slot: -1, digests: new Set<string>() }
    const isOurs = ({ kvs }: HeardEnr, now: number): boolean => {
      const slot = Math.max(0, slotAt(chain, now))
      if (slot !== current.slot) current = { slot, digests: new Set(forkDigestsAround(chain, slot)) }
      const eth2: unknown = kvs.get("eth2")
      return eth2 instanceof Uint8Array && eth2.length === 16 && current.digests.has(toHex(eth2.subarray(0, 4)))
    }
    return {
      hear: (enr) => {
        const now = clock.unsafeCurrentTimeMillis()
        if (!isOurs(enr, now) || !newest.isNews(enr.nodeId, enr.seq, now)) return
        const record = Either.flatMap(
          Either.try(() => enr.encodeTxt()),
          decodeNodeRecord
        )
        const node = Option.flatMap(Either.getRight(record), (record) =>
          nodeOfRecord(isNear ? record : { ...record, multiaddrs: farOf(record.multiaddrs) }, "discv5")
        )
        // One that cannot be dialled is not looked at again either.
        newest.told(enr.nodeId, enr.seq, node, now)
        if (Option.isSome(node)) news.unsafeOffer(node.value)
      },
      found: Stream.unwrapScoped(
        Effect.map(Stream.fromPubSub(news, { scoped: true }), (later) =>
          Stream.concat(
            Stream.suspend(() => Stream.fromIterable(newest.all().flatMap(Option.toArray))),
            later
          )
        )
      ),
      get: (nodeId) => Option.flatten(newest.get(nodeId))
    }
  })

/** Nodes that a slow listener may be behind. */
const mostWaiting = 1_024
const mostKnown = 4_096
/** A node that is still there is told again, for whoever keeps an account of when it was last seen. */
const againMs = 600_000
