import { Either, Option } from "effect"
import { peekSidecar, type SidecarLabel } from "../domain/column/Sidecar.ts"
import { checkStructure, inclusionProofHolds } from "../domain/column/SidecarCheck.ts"
import { viewSidecar } from "../domain/column/SidecarView.ts"
import {
  blobParametersAt,
  type ChainParameters,
  epochOf,
  epochStart,
  type ForkName,
  numberOfColumns,
  slotStart
} from "../domain/network/Chain.ts"
import type { ColumnTopic } from "../domain/network/ColumnTopic.ts"
import { type DigestTable, forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import type { GossipVerdict } from "../host/Gossip.ts"

/** A sidecar of which everything holds that can be seen without its block. */
export interface Examined extends SidecarLabel {
  readonly fork: ForkName
}

/** What a message is held against. */
export interface Moment {
  readonly chain: ChainParameters
  /** Of the same chain. */
  readonly digests: DigestTable
  /** Unix milliseconds. */
  readonly now: number
  /** 0 where nothing is final. */
  readonly finalizedEpoch: number
}

/**
 * The rules of validate_data_column_sidecar_gossip (fulu/p2p-interface.md; gloas/p2p-interface.md) that need no block, in
 * the order of their cost: its own subnet, a slot that has come and is not final, structure, inclusion proof.
 */
export const examineColumn = (
  { chain, digests, finalizedEpoch, now }: Moment,
  topic: ColumnTopic,
  data: Uint8Array
): Either.Either<Examined, GossipVerdict> =>
  Either.gen(function* () {
    const fork = digests.get(topic.forkDigest)?.fork
    if (fork !== "fulu" && fork !== "gloas") return yield* ignored
    const label = yield* Either.mapLeft(peekSidecar(fork, data), () => "reject" as const)
    if (label.index >= numberOfColumns || label.index !== topic.column) return yield* rejected
    // The topic of another digest than the slot's: near a change of the digest that may be a clock's fault.
    if (forkDigestOfSlot(chain, label.slot) !== topic.forkDigest) return yield* ignored
    if (now + clockDisparityMs < slotStart(chain, label.slot)) return yield* ignored
    if (label.slot <= epochStart(chain, finalizedEpoch)) return yield* ignored
    const sidecar = yield* Either.mapLeft(viewSidecar(fork, data), () => "reject" as const)
    if (Option.isSome(checkStructure(sidecar, blobParametersAt(chain, epochOf(chain, label.slot)).maxBlobsPerBlock)))
      return yield* rejected
    if (sidecar._tag === "Fulu" && !inclusionProofHolds(sidecar)) return yield* rejected
    return { ...label, fork }
  })

const rejected = Either.left<GossipVerdict>("reject")
const ignored = Either.left<GossipVerdict>("ignore")

/** MAXIMUM_GOSSIP_CLOCK_DISPARITY, milliseconds. */
const clockDisparityMs = 500
