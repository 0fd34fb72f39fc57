import { Either, Option, ParseResult, Schema } from "effect"
import { expected } from "./Show.ts"

/** Bytes in a unit, largest first. */
const units = [
  ["TiB", 2 ** 40],
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
  ["B", 1]
] as const

/** Whole bytes, written with a unit: `512KiB`, `100MiB`. Both limits are included and written in the same form. */
export const ByteSize = (least: string, most: string) => {
  const [minimum, maximum] = [Option.getOrThrow(parse(least)), Option.getOrThrow(parse(most))]
  return Schema.transformOrFail(Schema.String, Schema.Int, {
    strict: true,
    decode: (text, _, ast) => Either.fromOption(parse(text), () => new ParseResult.Type(ast, text)),
    encode: (bytes) => ParseResult.succeed(format(bytes))
  }).pipe(
    Schema.between(minimum, maximum),
    Schema.annotations(expected(`a size from ${least} to ${most} like 512KiB or 100MiB`, hint))
  )
}

/** A `ByteSize`, or `off` or 0 for no limit, which is `Infinity`. */
export const ByteLimit = (least: string, most: string) => {
  const size = ByteSize(least, most)
  return Schema.transformOrFail(Schema.Union(Schema.String, Schema.Literal(0)), Schema.Number, {
    strict: true,
    decode: (given, _, ast) =>
      given === 0 || given === "0" || given === "off"
        ? Either.right(Infinity)
        : Either.mapLeft(Schema.decodeEither(size)(given), () => new ParseResult.Type(ast, given)),
    encode: (bytes) => ParseResult.succeed(bytes === Infinity ? "off" : format(bytes))
  }).pipe(Schema.annotations(expected(`a size from ${least} to ${most} like 512KiB or 100MiB, or off`, hint)))
}

const parse = (text: string): Option.Option<number> => {
  const [, count, name] = /^(\d{1,12})([KMGT]iB|B)$/.exec(text) ?? []
  const [, bytes] = units.find(([unit]) => unit === name) ?? []
  return count === undefined || bytes === undefined ? Option.none() : Option.some(Number(count) * bytes)
}

const format = (bytes: number): string => {
  const [name, unit] = units.find(([, unit]) => bytes >= unit && bytes % unit === 0) ?? ["B", 1]
  return `${bytes / unit}${name}`
}

const hint = (actual: unknown): string | undefined => {
  if (typeof actual === "number" || (typeof actual === "string" && /^\d+$/.test(actual))) {
    return `give a unit: ${Math.abs(Number(actual))}B`
  }
  return typeof actual === "string" && /^\d+ *[kmgt]i?b?$/i.test(actual) && Option.isNone(parse(actual))
    ? "units are B, KiB, MiB, GiB and TiB, without spaces"
    : undefined
}
