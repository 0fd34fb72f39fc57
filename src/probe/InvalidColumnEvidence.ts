import { Either, Option } from "effect"
import { blobParametersAt, type ChainParameters, epochOf, forkAt, forkEpoch } from "../domain/network/Chain.ts"
import { digestTable, forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import { type Asked, type Evidence, evidenceVersion } from "../evidence/Evidence.ts"
import type { RequestMessage } from "../wire/Message.ts"
import { dataColumnSidecarsByRange, dataColumnSidecarsByRoot } from "../wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../wire/Requests.ts"
import { version } from "../Version.ts"
import type { Received } from "./RequestColumns.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** Whom and what evidence is about, beside the outcome itself. */
export interface Circumstances {
  readonly chain: ChainParameters
  readonly peer: Evidence["peer"]
  /** Unix milliseconds. */
  readonly judgedAt: number
}

/** A piece of evidence for every outcome `invalid`: what was asked, what came, and what it was held against. */
export const invalidColumnEvidence = (
  about: Circumstances,
  finished: ReadonlyArray<Finished>
): ReadonlyArray<Evidence> => {
  const asked = new Map<Received, Asked | undefined>()
  const askedOf = (received: Received): Asked | undefined => {
    if (!asked.has(received)) asked.set(received, decodeAsked(received.message))
    return asked.get(received)
  }
  return finished.flatMap(({ delivery, error }) => {
    if (delivery === undefined || Option.isNone(error) || error.value._tag !== "InvalidColumn") return []
    const { block, received, sidecar } = delivery
    const question = askedOf(received)
    if (question === undefined) return []
    const epoch = epochOf(about.chain, block.slot)
    const blob = blobParametersAt(about.chain, epoch)
    const { check, detail } = error.value
    return [
      {
        format: "dasmon evidence",
        version: evidenceVersion,
        program: `dasmon ${version}`,
        accusation: { column: sidecar.column, check, detail, judgedAt: about.judgedAt },
        peer: about.peer,
        request: { protocol: received.protocol, sentAt: received.sentAt, asked: question },
        chunk: {
          resultCode: 0,
          context: sidecar.context,
          contextOf: contextOf(about.chain, block.slot, sidecar.context),
          ssz: sidecar.ssz
        },
        block: {
          slot: block.slot,
          root: block.root,
          fork: sidecar.fork,
          commitments: block.commitments,
          maxBlobsPerBlock: blob.maxBlobsPerBlock
        },
        network: {
          name: about.chain.network,
          genesisValidatorsRoot: about.chain.genesisValidatorsRoot,
          forkVersion: forkAt(about.chain, epoch).version,
          blobLimitEpoch: Number.isFinite(blob.epoch) ? blob.epoch : null
        }
      } satisfies Evidence
    ]
  })
}

/** What context bytes stand for that are not those of the slot: everything that makes their digest. */
const contextOf = (chain: ChainParameters, slot: number, context: string): Evidence["chunk"]["contextOf"] => {
  if (context === forkDigestOfSlot(chain, slot)) return null
  const entry = digestTable(chain).get(context)
  if (entry === undefined) return null
  const { epoch, maxBlobsPerBlock } = blobParametersAt(chain, entry.firstEpoch)
  return {
    forkVersion: forkAt(chain, entry.firstEpoch).version,
    blobLimit:
      entry.firstEpoch < forkEpoch(chain, "fulu")
        ? null
        : { epoch: Number.isFinite(epoch) ? epoch : null, maxBlobsPerBlock }
  }
}

/** The request as it went over the wire. */
const decodeAsked = ({ protocols }: RequestMessage): Asked | undefined => {
  for (const { body, protocol } of protocols) {
    if (protocol === dataColumnSidecarsByRange) {
      const range = Either.getOrUndefined(decodeColumnsByRange(body))
      if (range !== undefined) return { by: "range", ...range }
    }
    if (protocol === dataColumnSidecarsByRoot) {
      const blocks = Either.getOrUndefined(decodeColumnsByRoot(body))
      if (blocks !== undefined) return { by: "root", blocks }
    }
  }
  return undefined
}
