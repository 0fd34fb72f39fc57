import { Clock, Effect, Either, Option, Schema } from "effect"
import { custodyRequirement } from "../../domain/network/Chain.ts"
import { readPrivate, writePrivate } from "../../runtime/PrivateFile.ts"

/** What we say of ourselves in MetaData; we are on no subnets. */
export interface OwnMetadata {
  readonly sequenceNumber: number
  readonly custodyGroupCount: number
}

/** The least custody that clients accept. */
export const ownMetadata: OwnMetadata = { sequenceNumber: 1, custodyGroupCount: custodyRequirement }

/** Where what we said last is kept: next to the private key. */
export const metadataFileOf = (identityFile: string): string => `${identityFile}.metadata`

/**
 * The same with its sequence number: that of the start before, kept in a file for its owner only, or the next one if
 * something else was said then. Peers take a number that went back for a fault: if the file cannot be read the number is
 * that of the seconds since 1970, which is beyond all that were counted.
 */
export const loadMetadata = Effect.fn("OwnMetadata.load")(function* (
  path: string,
  { custodyGroupCount }: Omit<OwnMetadata, "sequenceNumber"> = ownMetadata
) {
  const before = yield* readPrivate(path).pipe(
    Effect.flatMap(
      Option.match({ onNone: () => Effect.succeedNone, onSome: (text) => Effect.asSome(decode(path, text)) })
    ),
    Effect.catchAll((error) =>
      Effect.zipRight(
        Effect.logWarning(`${error.message}; the sequence number of our metadata goes on from a higher one`),
        Effect.map(Clock.currentTimeMillis, (now) =>
          Option.some({ sequenceNumber: Math.floor(now / 1000), custodyGroupCount: 0 })
        )
      )
    )
  )
  if (Option.isSome(before) && before.value.custodyGroupCount === custodyGroupCount) return before.value
  const sequenceNumber = Option.match(before, { onNone: () => 1, onSome: (before) => before.sequenceNumber + 1 })
  const metadata: OwnMetadata = { sequenceNumber, custodyGroupCount }
  yield* writePrivate(path, `${encode(metadata)}\n`).pipe(
    Effect.catchAll((error) =>
      Effect.logWarning(`${error.message}; peers may take us for faulty if the next start says less than this one`)
    )
  )
  return metadata
})

const Kept = Schema.parseJson(
  Schema.Struct({
    sequenceNumber: Schema.Int.pipe(Schema.between(1, 2 ** 40)),
    custodyGroupCount: Schema.Int.pipe(Schema.between(1, 128))
  })
)
const encode = Schema.encodeSync(Kept)

const decode = (path: string, text: string): Either.Either<OwnMetadata, Error> =>
  Either.mapLeft(
    Schema.decodeEither(Kept)(text),
    () => new Error(`${path}: this is not what we said of ourselves last`)
  )
