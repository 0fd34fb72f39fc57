import { Either, Option } from "effect"
import { toHex } from "../domain/Bytes.ts"
import { headerSignature, peekSidecar, type SidecarLabel } from "../domain/column/Sidecar.ts"
import { checkStructure } from "../domain/column/SidecarCheck.ts"
import { type SidecarView, viewSidecar } from "../domain/column/SidecarView.ts"
import { type Ruling, ruling } from "../domain/gossip/GossipRule.ts"
import {
  blobParametersAt,
  type ChainParameters,
  epochOf,
  epochStart,
  numberOfColumns,
  slotStart
} from "../domain/network/Chain.ts"
import type { ColumnTopic } from "../domain/network/ColumnTopic.ts"
import { type DigestTable, forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import type { SignedHeader } from "./JudgeHeader.ts"

/** A sidecar of which everything holds that can be seen without the chain. */
export interface Examined extends SidecarLabel {
  readonly fork: "fulu" | "gloas"
  readonly view: SidecarView
  /** None from Gloas on. */
  readonly header: Option.Option<SignedHeader>
  /** Under which a second one of the same column is a duplicate. */
  readonly name: string
  /** Milliseconds until its slot has come, as far as clocks are apart; 0 or less where it has. */
  readonly earlyMs: number
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
  /** Whether a column of this name was accepted before. */
  readonly isSeen: (name: string) => boolean
}

/**
 * The rules of data_column_sidecar_{subnet_id} that need no chain, in the order of the specification, which decides where
 * one breaks several: for Fulu duplicate, structure, subnet, future and finalized slot; for Gloas, whose structure shows
 * only against the block, duplicate, subnet, future slot.
 */
export const examineColumn = (
  moment: Moment,
  topic: ColumnTopic,
  data: Uint8Array
): Either.Either<Examined, Ruling> => {
  const fork = moment.digests.get(topic.forkDigest)?.fork
  return fork === "fulu" || fork === "gloas"
    ? examine(moment, topic, fork, data)
    : broken("other_digest", `there are no columns under the fork digest ${topic.forkDigest}`)
}

const examine = (
  { chain, digests, finalizedEpoch, isSeen, now }: Moment,
  topic: ColumnTopic,
  fork: "fulu" | "gloas",
  data: Uint8Array
): Either.Either<Examined, Ruling> => {
  const view = viewSidecar(fork, data)
  const label = peekSidecar(fork, data)
  if (Either.isLeft(view)) return broken("structure", view.left.reason)
  if (Either.isLeft(label)) return broken("structure", label.left.reason)
  const { blockRoot, index, slot } = label.right
  const header = headerOf(view.right, fork, data, blockRoot)
  const name = Option.match(header, {
    onSome: ({ proposerIndex }) => `${slot}/${proposerIndex}/${index}`,
    onNone: () => `${blockRoot}/${index}`
  })
  if (isSeen(name)) return broken("duplicate", "")
  if (fork === "fulu") {
    const limit = blobParametersAt(chain, epochOf(chain, slot)).maxBlobsPerBlock
    const failed = checkStructure(view.right, limit)
    if (Option.isSome(failed)) return broken("structure", failed.value.detail)
  }
  if (index % numberOfColumns !== topic.column) {
    return broken("wrong_subnet", `column ${index} was sent on the topic of column ${topic.column}`)
  }
  if (forkDigestOfSlot(chain, slot) !== topic.forkDigest) {
    const detail = `slot ${slot} has the fork digest ${forkDigestOfSlot(chain, slot)}, the topic ${topic.forkDigest}`
    return broken("other_digest", digests.has(topic.forkDigest) ? detail : "of another network")
  }
  if (fork === "fulu" && slot <= epochStart(chain, finalizedEpoch)) {
    return broken("finalized_slot", `slot ${slot} is final since epoch ${finalizedEpoch}`)
  }
  const earlyMs = slotStart(chain, slot) - clockDisparityMs - now
  return Either.right({ index, slot, blockRoot, fork, view: view.right, header, name, earlyMs })
}

const headerOf = (view: SidecarView, fork: "fulu" | "gloas", data: Uint8Array, blockRoot: string) =>
  view._tag === "Gloas"
    ? Option.none<SignedHeader>()
    : Option.map(headerSignature(fork, data), (signature) => {
        const { byteOffset, buffer } = view.header
        return {
          slot: view.slot,
          // Beyond 2^53 it is some other number, which is no validator's either.
          proposerIndex: Number(new DataView(buffer, byteOffset).getBigUint64(8, true)),
          parentRoot: toHex(view.header.subarray(16, 48)),
          blockRoot,
          signature
        }
      })

const broken = (rule: Ruling["rule"], detail: string) => Either.left(ruling(rule, detail))

/** MAXIMUM_GOSSIP_CLOCK_DISPARITY, milliseconds. */
const clockDisparityMs = 500
