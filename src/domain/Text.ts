/** What is shown to a person, or sent on, of errors and of text that strangers wrote. */

/**
 * What an error says, whatever was thrown. A connection that failed for IPv4 and IPv6 is an AggregateError without a
 * message of its own; system errors may have nothing but a code; and libp2p fails with the event of a stream that closed
 * while it was waited for.
 */
export const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  if (error instanceof Event) {
    return "error" in error && error.error instanceof Error ? messageOf(error.error) : `there was a "${error.type}"`
  }
  if (!(error instanceof Error)) return String(error)
  return error.message === "" ? (codeOf(error) ?? error.name) : error.message
}

/** The code of a system's or a driver's error, such as `ENOENT`; `undefined` if it has none. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined

/** The text as one line: every run of white space is a space. */
export const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim()

/**
 * Text of a stranger, fit for a log line, a terminal and any protocol: line breaks are spaces, and whatever does not
 * print (control characters, marks that turn the direction of writing, half characters) is a question mark. At most
 * `longest` characters of it.
 */
export const printable = (text: string, longest = Infinity): string => {
  const clean = text.replaceAll(/[\t\n\v\f\r]+/g, " ").replaceAll(/\p{C}/gu, "?")
  return clean.length <= longest ? clean : [...clean].slice(0, longest).join("")
}

/** Such as `1 column` and `2 columns`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`
