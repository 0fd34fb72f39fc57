import { Either, ParseResult, Schema } from "effect"
import { faultRules } from "../domain/gossip/GossipRule.ts"
import { hexOf, RootFromHex } from "../domain/Bytes.ts"
import { forkNames } from "../domain/network/Chain.ts"
import { Base64, decodeEvidence, encodeEvidence, type Evidence, hexBytes, UnreadableEvidence } from "./Evidence.ts"

const Count = Schema.NonNegativeInt

/**
 * One column that came by gossip and was rejected, with all that it was judged by. As with a probe's evidence, who sent it
 * is not proven by it.
 */
export const GossipEvidence = Schema.Struct({
  format: Schema.Literal("dasmon evidence"),
  version: Schema.Literal(1),
  /** Evidence of a probe has no such field. */
  source: Schema.Literal("gossip"),
  program: Schema.String,
  accusation: Schema.Struct({
    rule: Schema.Literal(...faultRules),
    /** That of the topic where the message does not say its own. */
    column: Count,
    detail: Schema.String,
    /** Unix milliseconds. */
    judgedAt: Schema.Number
  }),
  peer: Schema.Struct({ peerId: Schema.String }),
  message: Schema.Struct({
    topic: Schema.String,
    /** 20 bytes. */
    id: hexOf(20),
    /** Decompressed. */
    ssz: Base64
  }),
  block: Schema.Struct({
    /** What the message says; the slot that was running, and `null`, where it does not say so. */
    slot: Count,
    root: Schema.NullOr(RootFromHex),
    fork: Schema.Literal(...forkNames),
    /** Of the block, where the message does not have them itself and they were known. */
    commitments: Schema.NullOr(Schema.Array(hexBytes(48))),
    /** Blob limit at the slot's epoch. */
    maxBlobsPerBlock: Count
  }),
  /** What the signature was held against: the proposer's key, or the signature of the imported block. */
  signedBy: Schema.NullOr(
    Schema.Union(Schema.Struct({ publicKey: hexBytes(48) }), Schema.Struct({ blockSignature: hexBytes(96) }))
  ),
  network: Schema.Struct({
    name: Schema.String,
    genesisValidatorsRoot: hexBytes(32),
    /** Of the block's fork. */
    forkVersion: hexBytes(4)
  })
})
export type GossipEvidence = typeof GossipEvidence.Type

export type AnyEvidence = Evidence | GossipEvidence

export const isOfGossip = (evidence: AnyEvidence): evidence is GossipEvidence => "source" in evidence

/** One line of JSON. */
export const encodeAnyEvidence = (evidence: AnyEvidence): string =>
  isOfGossip(evidence) ? `${encode(evidence)}\n` : encodeEvidence(evidence)

/** Reads what `encodeAnyEvidence` wrote, of whatever source. */
export const decodeAnyEvidence = (text: string): Either.Either<AnyEvidence, UnreadableEvidence> =>
  Either.isRight(decodeSource(text))
    ? Either.mapLeft(decode(text), (error) => {
        const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
        return new UnreadableEvidence({
          reason: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? error.message}`.slice(0, mostReason)
        })
      })
    : decodeEvidence(text)

const decodeSource = Schema.decodeUnknownEither(Schema.parseJson(Schema.Struct({ source: Schema.Literal("gossip") })))
const encode = Schema.encodeSync(Schema.parseJson(GossipEvidence))
const decode = Schema.decodeUnknownEither(Schema.parseJson(GossipEvidence))

/** A reason may quote what is wrong, and that may be megabytes. */
const mostReason = 300
