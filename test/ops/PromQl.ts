/** What a PromQL expression names. The reader takes the part of the language that this repository uses, and no more. */
export interface Names {
  readonly series: ReadonlyArray<{
    readonly name: string
    /** Labels that are matched, with the values that a series must have, as far as they are written out. */
    readonly matchers: ReadonlyArray<{ readonly label: string; readonly values: ReadonlyArray<string> }>
  }>
  /** Labels in `by`, `on` and their like. */
  readonly grouping: ReadonlyArray<string>
}

const functions = new Set([
  "sum",
  "min",
  "max",
  "rate",
  "increase",
  "changes",
  "absent",
  "time",
  "histogram_quantile",
  "label_values"
])
const operators = new Set(["and", "or", "unless", "bool", "offset"])
const groupings = new Set(["by", "without", "on", "ignoring"])

const token =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*")|(?<range>\[(?:\d+[smhdw]|\$__rate_interval)\])|(?<number>\d+(?:\.\d+)?[smhdw]?)|(?<word>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?<sign>==|!=|>=|<=|=~|!~|[-+*/%^><=(){},]))/y

/** Throws on what it cannot read. */
export const namesIn = (expression: string): Names => {
  const tokens = tokensOf(expression)
  const series: Array<Names["series"][number]> = []
  const grouping: Array<string> = []
  checkBrackets(tokens, expression)
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at] ?? fail(expression)
    if (kind !== "word" || operators.has(text)) continue
    if (groupings.has(text)) {
      at = readList(tokens, at + 1, ")", (label) => grouping.push(label))
    } else if (tokens[at + 1]?.text === "(" || groupings.has(tokens[at + 1]?.text ?? "")) {
      if (!functions.has(text)) throw new Error(`no function ${text} in: ${expression}`)
    } else if (tokens[at + 1]?.text === "{") {
      const matchers: Array<{ label: string; values: ReadonlyArray<string> }> = []
      at = readList(tokens, at + 1, "}", (label, values) => matchers.push({ label, values }))
      series.push({ name: text, matchers })
    } else if (text !== "instance" || !expression.startsWith("label_values")) {
      series.push({ name: text, matchers: [] })
    }
  }
  return { series, grouping }
}

interface Token {
  readonly kind: string
  readonly text: string
}

const tokensOf = (expression: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  token.lastIndex = 0
  const text = expression.trimEnd()
  while (token.lastIndex < text.length) {
    const from = token.lastIndex
    const groups = token.exec(text)?.groups
    const [kind, found] = Object.entries(groups ?? {}).find(([, found]) => found !== undefined) ?? []
    if (kind === undefined || found === undefined) throw new Error(`cannot read ${text.slice(from)} in: ${expression}`)
    tokens.push({ kind, text: found })
  }
  return tokens
}

/** Labels, and with them what they must be, between two brackets; gives where it ends. */
const readList = (
  tokens: ReadonlyArray<Token>,
  from: number,
  end: string,
  take: (label: string, values: ReadonlyArray<string>) => void
): number => {
  let at = from + 1
  for (; tokens[at]?.text !== end; at++) {
    const { kind, text } = tokens[at] ?? fail("an open bracket")
    if (text === ",") continue
    if (kind !== "word") throw new Error(`${text} is no label`)
    if (end !== "}") {
      take(text, [])
      continue
    }
    const value = JSON.parse(tokens[at + 2]?.text ?? "") as unknown
    if (typeof value !== "string") throw new Error(`${text} is matched with no text`)
    take(text, value.startsWith("$") ? [] : value.split("|"))
    at += 2
  }
  return at
}

const checkBrackets = (tokens: ReadonlyArray<Token>, expression: string): void => {
  const open: Array<string> = []
  for (const { kind, text } of tokens) {
    if (kind !== "sign") continue
    if (text === "(" || text === "{") open.push(text)
    if ((text === ")" && open.pop() !== "(") || (text === "}" && open.pop() !== "{")) fail(expression)
  }
  if (open.length > 0) fail(expression)
}

const fail = (expression: string): never => {
  throw new Error(`brackets that do not match: ${expression}`)
}
