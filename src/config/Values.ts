import { Either, ParseResult, Schema } from "effect"
import { expected, show } from "./Show.ts"
import { closest } from "./Suggest.ts"

/** A key that may be left out. */
export const optional = <A, I>(value: Schema.Schema<A, I>) => Schema.optionalWith(value, { exact: true })

/** A key with a default. */
export const withDefault = <A, I>(value: Schema.Schema<A, I>, byDefault: () => A) =>
  Schema.optionalWith(value, { exact: true, default: byDefault })

/** A whole number between two limits, both included. */
export const whole = (least: number, most: number, allowed = `a whole number from ${least} to ${most}`) =>
  Schema.Int.pipe(Schema.between(least, most), Schema.annotations(expected(allowed, numberHint)))

export const flag = Schema.Boolean.annotations(expected("true or false"))

/** One of a few words. */
export const choice = <Words extends readonly [string, ...Array<string>]>(...words: Words) =>
  Schema.Literal(...words).annotations(
    expected(`one of ${words.join(", ")}`, (actual) => {
      const meant = typeof actual === "string" ? closest(actual, words) : undefined
      return meant === undefined ? undefined : `did you mean ${meant}?`
    })
  )

export const filePath = Schema.String.pipe(
  Schema.filter((text) => text.trim() !== "" && !text.includes("\0")),
  Schema.annotations(expected("the path of a file"))
)

/** A short line that any program can show. */
export const printableLine = (longest: number) =>
  Schema.String.pipe(
    Schema.filter((text) => /^[ -~]+$/.test(text) && text.trim() === text && text.length <= longest),
    Schema.annotations(
      expected(`1 to ${longest} printable ASCII characters, with no space at the ends`, (actual) =>
        typeof actual === "number" ? "write it in quotes" : undefined
      )
    )
  )
const longestUrl = 2048

/** `URL` says of such a one only that it is none. */
const portHint = (actual: unknown): string | undefined => {
  const [, port] = typeof actual === "string" ? (/^https?:\/\/[^/?#]*:(\d{1,9})(?:[/?#]|$)/i.exec(actual) ?? []) : []
  return port !== undefined && (Number(port) === 0 || Number(port) > 65535) ? `there is no port ${port}` : undefined
}

/** An http or https address without query and fragment; without the slash at its end once it is decoded. */
export const httpUrl = Schema.transformOrFail(Schema.String, Schema.String, {
  strict: true,
  decode: (text, _, ast) =>
    text.length <= longestUrl && URL.canParse(text)
      ? Either.liftPredicate(
          new URL(text),
          (url) => /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "" && url.port !== "0",
          () => new ParseResult.Type(ast, text)
        ).pipe(Either.map((url) => url.href.replace(/\/+$/, "")))
      : Either.left(new ParseResult.Type(ast, text)),
  encode: (text) => ParseResult.succeed(text)
}).annotations(expected("an http or https address like http://127.0.0.1:5052", portHint))

const numberHint = (actual: unknown): string | undefined => {
  if (typeof actual !== "string" || !/^[+-]?[\d_]*\d$/.test(actual)) return undefined
  return actual.includes("_") ? "write it without _" : "write it without quotes"
}

/** Text that is never shown, not even to say what is wrong with it. */
export const secret = (allowed: string, isGood: (text: string) => boolean) =>
  Schema.Redacted(
    Schema.String.pipe(
      Schema.filter(isGood),
      Schema.annotations({ message: () => ({ message: `expected ${allowed}`, override: true }) })
    )
  )

/** A list whose entries say themselves what is wrong with them. */
export const listOf = <A, I>(entry: Schema.Schema<A, I>, allowed: string) =>
  Schema.Array(entry).annotations({
    message: (issue) => `expected a list of ${allowed}, got ${show(issue.actual)}`
  })

/**
 * What is wrong with entries of a list that one before them stands for already: those of the same key. An entry without a
 * key may stand there often.
 */
export const repetitions = <A>(
  entries: ReadonlyArray<A>,
  keyOf: (entry: A) => string | undefined,
  message: (entry: A, first: number) => string
): ReadonlyArray<Schema.FilterIssue> => {
  const firsts = new Map<string, number>()
  return entries.flatMap((entry, index) => {
    const key = keyOf(entry)
    if (key === undefined) return []
    const first = firsts.get(key)
    if (first === undefined) firsts.set(key, index)
    return first === undefined ? [] : [{ path: [index], message: message(entry, first) }]
  })
}
