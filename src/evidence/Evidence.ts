import { Either, ParseResult, Schema } from "effect"
import { fromHex, hexOf, RootFromHex, toHex } from "../domain/Bytes.ts"
import { forkNames } from "../domain/network/Chain.ts"
import { InvalidCheck } from "../domain/probe/Outcome.ts"

/** The format that `encodeEvidence` writes, and the only one that is read. */
export const evidenceVersion = 1

const Count = Schema.NonNegativeInt

export const hexBytes = (bytes: number) =>
  Schema.transform(hexOf(bytes), Schema.Uint8ArrayFromSelf, { strict: true, decode: fromHex, encode: toHex })

/** Standard base64 with padding, and nothing else. */
export const Base64 = Schema.transformOrFail(Schema.String, Schema.Uint8ArrayFromSelf, {
  strict: true,
  decode: (text, _, ast) => {
    const bytes = Buffer.from(text, "base64")
    return bytes.toString("base64") === text
      ? ParseResult.succeed(new Uint8Array(bytes))
      : ParseResult.fail(new ParseResult.Type(ast, text, "expected base64"))
  },
  encode: (bytes) =>
    ParseResult.succeed(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"))
})

/** What was asked for, by range or by root. */
export const Asked = Schema.Union(
  Schema.Struct({ by: Schema.Literal("range"), startSlot: Count, count: Count, columns: Schema.Array(Count) }),
  Schema.Struct({
    by: Schema.Literal("root"),
    blocks: Schema.Array(Schema.Struct({ blockRoot: RootFromHex, columns: Schema.Array(Count) }))
  })
)
export type Asked = typeof Asked.Type

/**
 * One `invalid` outcome with all that it was judged by: enough to judge again without a network or a database. Who
 * sent the chunk is not proven by it: libp2p gives the receiver of a message nothing that convinces a third party.
 */
export const Evidence = Schema.Struct({
  format: Schema.Literal("dasmon evidence"),
  version: Schema.Literal(evidenceVersion),
  /** The program that judged, with its version. */
  program: Schema.String,
  accusation: Schema.Struct({
    column: Count,
    check: InvalidCheck,
    detail: Schema.String,
    /** Unix milliseconds. */
    judgedAt: Schema.Number
  }),
  /** Whom the chunk came from. Strings as the peer gave them; `null` for what is not known. */
  peer: Schema.Struct({
    peerId: Schema.String,
    agent: Schema.NullOr(Schema.String),
    address: Schema.NullOr(Schema.String)
  }),
  request: Schema.Struct({
    /** The protocol id that was negotiated. */
    protocol: Schema.String,
    /** Unix milliseconds. */
    sentAt: Schema.Number,
    asked: Asked
  }),
  /** The offending chunk as it came, but for the compression. */
  chunk: Schema.Struct({
    resultCode: Count,
    /** Context bytes: a fork digest of the network. */
    context: hexOf(4),
    /**
     * What they are the fork digest of, beside the network's genesis validators root; `null` if it is the block's slot,
     * as it should be. Before Fulu a digest has no blob limit.
     */
    contextOf: Schema.optionalWith(
      Schema.NullOr(
        Schema.Struct({
          forkVersion: hexBytes(4),
          blobLimit: Schema.NullOr(Schema.Struct({ epoch: Schema.NullOr(Count), maxBlobsPerBlock: Count }))
        })
      ),
      { default: () => null }
    ),
    ssz: Base64
  }),
  /** The canonical block that the chunk was held against. */
  block: Schema.Struct({
    slot: Count,
    root: RootFromHex,
    fork: Schema.Literal(...forkNames),
    /** 48 bytes each, in row order. */
    commitments: Schema.Array(hexBytes(48)),
    /** Blob limit at the slot's epoch. */
    maxBlobsPerBlock: Count
  }),
  network: Schema.Struct({
    name: Schema.String,
    genesisValidatorsRoot: hexBytes(32),
    /** Of the block's fork. */
    forkVersion: hexBytes(4),
    /** Since when the blob limit has been in force: a part of the fork digest. `null` for never. */
    blobLimitEpoch: Schema.NullOr(Count)
  })
})
export type Evidence = typeof Evidence.Type

/** A text that is no evidence, or none that this program can read. */
export class UnreadableEvidence extends Schema.TaggedError<UnreadableEvidence>()("UnreadableEvidence", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** One line of JSON. */
export const encodeEvidence = (evidence: Evidence): string => `${encode(evidence)}\n`

/** Reads what `encodeEvidence` wrote; anything else gives the typed error. */
export const decodeEvidence = (text: string): Either.Either<Evidence, UnreadableEvidence> =>
  Either.gen(function* () {
    const json = yield* Either.mapLeft(parseJson(text), () => unreadable("it is not whole JSON"))
    const { version } = yield* Either.mapLeft(decodeHead(json), () => unreadable("it is not evidence of dasmon"))
    if (version !== evidenceVersion) {
      return yield* Either.left(
        unreadable(`it has format version ${version}, and this program reads version ${evidenceVersion}`)
      )
    }
    return yield* Either.mapLeft(decode(json), (error) => {
      const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
      return unreadable(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? error.message}`.slice(0, maxReason))
    })
  })

const Head = Schema.Struct({ format: Schema.Literal("dasmon evidence"), version: Schema.Number })

const encode = Schema.encodeSync(Schema.parseJson(Evidence))
const parseJson = Schema.decodeEither(Schema.parseJson())
const decodeHead = Schema.decodeUnknownEither(Head)
const decode = Schema.decodeUnknownEither(Evidence)

/** A reason may quote what is wrong, and that may be megabytes. */
const maxReason = 300

const unreadable = (reason: string) => new UnreadableEvidence({ reason })
