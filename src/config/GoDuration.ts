import { Duration, Either, ParseResult, Schema } from "effect"
import { expected } from "./Show.ts"

/** Milliseconds in a unit, largest first. */
const units: ReadonlyArray<readonly [name: string, millis: number]> = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1]
]

const form = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g

/** Reads a duration as Go writes it, and days: `300ms`, `10s`, `1h30m`, `1.5h`, `18d`. Whole milliseconds. */
export const parseGoDuration = (text: string): Either.Either<Duration.Duration, string> => {
  if (!form.test(text)) return Either.left("not a duration")
  const millis = [...text.matchAll(part)].reduce((sum, [, count, unit]) => sum + Number(count) * millisOf(unit), 0)
  return Number.isSafeInteger(Math.round(millis))
    ? Either.right(Duration.millis(Math.round(millis)))
    : Either.left("too long")
}

/** The shortest text that `parseGoDuration` reads as this duration (finite, whole milliseconds). */
export const formatGoDuration = (duration: Duration.Duration): string => {
  let rest = Duration.toMillis(duration)
  let text = ""
  for (const [name, millis] of units) {
    const count = Math.floor(rest / millis)
    if (count > 0) text += `${count}${name}`
    rest -= count * millis
  }
  return text === "" ? "0s" : text
}

/** A duration between two limits, both included and written in the same form. */
export const GoDuration = (least: string, most: string) => {
  const limits = { minimum: limit(least), maximum: limit(most) }
  return Schema.transformOrFail(Schema.String, Schema.DurationFromSelf, {
    strict: true,
    decode: (text, _, ast) =>
      Either.mapLeft(parseGoDuration(text), (reason) => new ParseResult.Type(ast, text, reason)),
    encode: (duration) => ParseResult.succeed(formatGoDuration(duration))
  }).pipe(
    Schema.filter((duration) => Duration.between(duration, limits)),
    Schema.annotations(expected(`a duration from ${least} to ${most} like 10s, 5m, 1h30m or 18d`, hint))
  )
}

const millisOf = (unit: string | undefined): number => units.find(([name]) => name === unit)?.[1] ?? NaN

const limit = (text: string): Duration.Duration => Either.getOrThrow(parseGoDuration(text))

const hint = (actual: unknown): string | undefined => {
  if (typeof actual === "number" || (typeof actual === "string" && /^\d+$/.test(actual))) {
    return `give a unit: ${Math.abs(Number(actual))}s`
  }
  return typeof actual === "string" && /\d\s+[a-z]/i.test(actual)
    ? "units are ms, s, m, h and d, without spaces"
    : undefined
}
