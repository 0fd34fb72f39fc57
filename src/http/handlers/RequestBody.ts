import type { HttpServerRequest } from "@effect/platform"
import { Effect, ParseResult, Schema } from "effect"
import { BadBody } from "../api/ApiErrors.ts"

/**
 * The body of a request as JSON that is of this form. How long it is was looked at before (`Security`). One that does not
 * come costs its client the connection, unanswered: who gives up reading has destroyed the socket.
 */
export const bodyOf = <A, I>(
  request: HttpServerRequest.HttpServerRequest,
  schema: Schema.Schema<A, I>
): Effect.Effect<A, BadBody> =>
  request.text.pipe(
    Effect.mapError(() => new BadBody({ reason: "it did not come to its end" })),
    Effect.timeoutFail({
      duration: bodyLimit,
      onTimeout: () => new BadBody({ reason: `it was not there in ${bodyLimit}` })
    }),
    Effect.flatMap((text) =>
      Effect.mapError(
        Schema.decodeUnknown(Schema.parseJson(schema), { onExcessProperty: "error" })(text),
        (error) => new BadBody({ reason: describe(error) })
      )
    )
  )

const bodyLimit = "10 seconds"

const describe = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  const path = issue?.path.map(String).join(".") ?? ""
  return `${path === "" ? "" : `${path}: `}${issue?.message ?? "it cannot be read"}`.replace(/\s+/g, " ").slice(0, 300)
}
