import { Either } from "effect"
import type { Setting } from "./Setting.ts"

/** A setting that was given by a flag or a variable. */
export interface Given {
  readonly setting: Setting
  /** As it would stand in a file. */
  readonly value: unknown
  /** The flag or the variable. */
  readonly from: string
}

/**
 * The value that the texts of a setting stand for, and else why they cannot be one. Lists and maps take several, and each
 * text may hold several with commas between them. What is no number where one belongs is left for the schema to refuse.
 */
export const valueOf = ({ kind, words }: Setting, texts: ReadonlyArray<string>): Either.Either<unknown, string> => {
  const parts = texts.flatMap((text) => text.split(",")).flatMap((part) => part.trim() || [])
  const [only, other] = parts
  if (kind === "numbers" && only !== undefined && other === undefined && words.includes(only)) return Either.right(only)
  if (kind === "numbers") return Either.right(parts.map(numberOr))
  if (kind === "list") return Either.right(parts)
  if (kind === "map") return entriesOf(parts)
  const [text = "", ...more] = texts
  if (more.length > 0) return Either.left("is given more than once")
  if (kind === "number") return Either.right(numberOr(text))
  if (kind === "switch") return Either.right(text === "true" || (text === "false" ? false : text))
  return Either.right(text)
}

const numberOr = (text: string): string | number => (/^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text)

/** Values may be secrets, and are not shown. */
const entriesOf = (parts: ReadonlyArray<string>): Either.Either<unknown, string> => {
  const entries = parts.map((part) => [part.slice(0, part.indexOf("=")).trim(), part.slice(part.indexOf("=") + 1)])
  if (!parts.every((part) => part.indexOf("=") > 0)) {
    return Either.left("expected NAME=VALUE, several with commas between them")
  }
  const names = entries.map(([name]) => name)
  return new Set(names).size < names.length
    ? Either.left("gives one name twice")
    : Either.right(Object.fromEntries(entries))
}
