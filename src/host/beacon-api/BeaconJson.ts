import { Effect, Either, Option, ParseResult, Schema } from "effect"
import { type BeaconFailure, lasting } from "./BeaconFailure.ts"
import { type BeaconAnswer, type BeaconHttp, jsonType } from "./BeaconHttp.ts"

/** A failure that the same request would meet again. */
export const bad = (operation: string, reason: string): Effect.Effect<never, BeaconFailure> =>
  Effect.fail(lasting(operation, reason))

export const orFail = <A>(operation: string, result: Either.Either<A, string>): Effect.Effect<A, BeaconFailure> =>
  Either.match(result, { onLeft: (reason) => bad(operation, reason), onRight: Effect.succeed })

/** An answer in JSON, or none where there is no such thing (404). */
export const maybeJson = Effect.fnUntraced(function* <A, I>(
  http: BeaconHttp,
  path: string,
  schema: Schema.Schema<A, I>
) {
  const answer = yield* http.get(path, jsonType)
  if (Option.isNone(answer)) return Option.none<A>()
  return Option.some(yield* decodeJson(http, path, answer.value, schema))
})

/** An answer in JSON that every beacon node has. */
export const getJson = Effect.fnUntraced(function* <A, I>(http: BeaconHttp, path: string, schema: Schema.Schema<A, I>) {
  const answer = yield* maybeJson(http, path, schema)
  return Option.isSome(answer)
    ? answer.value
    : yield* bad(http.operation(path), "HTTP 404: is this a beacon node's API?")
})

export const decodeJson = <A, I>(
  http: BeaconHttp,
  path: string,
  answer: BeaconAnswer,
  schema: Schema.Schema<A, I>
): Effect.Effect<A, BeaconFailure> =>
  answer.contentType !== jsonType
    ? bad(http.operation(path), `expected ${jsonType}, got ${answer.contentType || "no content type"}`)
    : Schema.decodeUnknown(Schema.parseJson(schema))(Buffer.from(answer.body).toString("utf8")).pipe(
        Effect.catchAll((error) => bad(http.operation(path), describe(error)))
      )

/** The first thing that is wrong, on one line. */
const describe = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const text = issue === undefined ? error.message : `${issue.path.join(".") || "the answer"}: ${issue.message}`
  return `the answer is not what was expected: ${text.replace(/\s+/g, " ").slice(0, 200)}`
}
