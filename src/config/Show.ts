import type { ParseResult } from "effect"

const longest = 60

/** A value of a configuration as part of one line: text in quotes and cut short, lists and maps by their kind only. */
export const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.length > longest ? `${value.slice(0, longest)}…` : value)
  if (value === null || value === undefined) return "nothing"
  if (Array.isArray(value)) return "a list"
  if (typeof value === "object") return "a map"
  return String(value)
}

/** Where in a configuration a value stands: `sampling.max_columns`, `peers[2]`. */
export const showPath = (path: ReadonlyArray<PropertyKey>): string =>
  path
    .map((part, index) => (typeof part === "number" ? `[${part}]` : `${index > 0 ? "." : ""}${showKey(part)}`))
    .join("")

/**
 * Schema annotations that answer everything that is wrong with a value with one sentence: what is allowed, what was
 * given, and a hint where there is one.
 */
export const expected = (allowed: string, hint: (actual: unknown) => string | undefined = () => undefined) => ({
  message: (issue: ParseResult.ParseIssue) => {
    const more = hint(issue.actual)
    return {
      message: `expected ${allowed}, got ${show(issue.actual)}${more === undefined ? "" : ` (${more})`}`,
      override: true
    }
  }
})

const showKey = (key: PropertyKey): string => (/^[\w-]{1,60}$/.test(String(key)) ? String(key) : show(String(key)))
