import { ParseResult, Schema } from "effect"
import { expected } from "../Show.ts"
import { httpUrl, listOf, repetitions } from "../Values.ts"

const Given = Schema.Union(Schema.String, Schema.Array(Schema.String)).annotations(
  expected("an http or https address like http://127.0.0.1:5052, or a list of such", (actual) =>
    Array.isArray(actual) ? "with an entry that is no text" : undefined
  )
)

/** Several, each once. */
const List = listOf(httpUrl, "http or https addresses").pipe(
  Schema.filter((urls) => {
    if (urls.length === 0) return "name one at least"
    if (urls.length > most) return `${urls.length} addresses, but at most ${most} are asked`
    return repetitions(
      urls,
      (url) => url,
      (_, first) => `the same address as in entry ${first}`
    )
  })
)

/** Each is looked at every slot. */
const most = 8

/**
 * The Beacon APIs in the order of preference: one URL, or a list of them. Decoded it is a list in either case; a list of
 * one is written as its URL.
 */
export const BeaconApis = Schema.transformOrFail(Given, Schema.typeSchema(List), {
  strict: true,
  decode: (given) =>
    typeof given === "string"
      ? ParseResult.map(ParseResult.decode(httpUrl)(given), (url) => [url])
      : ParseResult.decode(List)(given),
  encode: (urls) => ParseResult.succeed(urls.length === 1 ? (urls[0] ?? "") : urls)
})
