import { Either } from "effect"
import { isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument, Parser } from "yaml"
import type { Complaint } from "./DecodeConfig.ts"
import { messageOf, oneLine } from "../domain/Text.ts"

/** A YAML text as plain values, with the places in it. */
export interface YamlDocument {
  readonly value: unknown
  /** Keys that are given more than once. */
  readonly complaints: ReadonlyArray<Complaint>
  /** The line, from 1, of a key or an entry, or of the nearest thing around it that is written down. */
  readonly lineOf: (path: ReadonlyArray<PropertyKey>) => number | undefined
}

/** What is wrong with the text as YAML. */
export interface YamlError {
  readonly line: number | undefined
  readonly message: string
}

/** Maps in the file, and lists in these: as deep as a configuration goes, and as keys and places are looked at. */
const depth = 3
/** Above this a text is refused unread: the composer recurses, and a stack that overflows in it can end the process. */
const deepest = 100

const plainer: ReadonlyMap<string, string> = new Map([
  ["MULTIPLE_DOCS", "a second document begins here: only one is allowed"],
  ["NON_STRING_KEY", "a key must be a word, not a list, a map or a reference"]
])

/** Reads one YAML 1.2 document. Takes time and memory in proportion to the text, whatever is in it. */
export const readYaml = (text: string): Either.Either<YamlDocument, ReadonlyArray<YamlError>> => {
  if (isTooDeep(text)) return Either.left([{ line: undefined, message: `more than ${deepest} levels of nesting` }])
  // What is no YAML at all is refused by its beginning: each error takes as long as many lines that are right.
  const hopeless = text.length > beginningLength ? errorsOf(compose(text.slice(0, beginningLength))) : []
  if (hopeless.length > mostErrors) return Either.left(hopeless)
  const composed = compose(text)
  const { document, lineAt } = composed
  const { directives } = document
  if (directives?.yaml.explicit === true && directives.yaml.version !== "1.2") {
    return Either.left([{ line: 1, message: `YAML ${directives.yaml.version} is not supported, only 1.2` }])
  }
  const errors = errorsOf(composed)
  if (errors.length > 0) return Either.left(errors)
  const { offsets, repeated } = placesOf(document.contents)
  return Either.try({
    try: (): unknown => document.toJS(),
    catch: (error) => [{ line: undefined, message: `not valid YAML: ${oneLine(messageOf(error))}` }]
  }).pipe(
    Either.map((value) => ({
      value,
      complaints: repeated.map((path) => ({ path, message: "this key is given more than once" })),
      lineOf: (path) => {
        if (path.length === 0) return lineAt(document.contents?.range[0] ?? 0)
        for (let length = path.length; length > 0; length--) {
          const offset = offsets.get(keyOf(path.slice(0, length)))
          if (offset !== undefined) return lineAt(offset)
        }
        return undefined
      }
    }))
  )
}

const compose = (text: string) => {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    // A node id that is not in quotes stays text.
    customTags: (tags) => tags.filter((tag) => typeof tag === "string" || tag.format !== "HEX"),
    lineCounter: lines,
    logLevel: "error",
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    // The library compares every key with every other. `placesOf` does it in one pass.
    uniqueKeys: false
  })
  return { document, lineAt: (offset: number) => lines.linePos(offset).line }
}

const errorsOf = ({ document, lineAt }: ReturnType<typeof compose>): ReadonlyArray<YamlError> =>
  [...document.errors, ...document.warnings].map(({ code, message, pos }) => ({
    line: lineAt(pos[0]),
    message: plainer.get(code) ?? `not valid YAML: ${oneLine(message)}`
  }))

/** Characters, and more errors than a text has that is cut there and right otherwise. */
const beginningLength = 16_384
const mostErrors = 200

const isTooDeep = (text: string): boolean => {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    // Driving the parser is what builds its stack; the tokens themselves are not wanted.
    for (const _ of parser.next(lexeme)) continue
    if (parser.stack.length > deepest) return true
  }
  return false
}

/** Offsets of all keys and entries by path, and the paths of keys that come again; the last of them has the offset. */
const placesOf = (contents: unknown) => {
  const offsets = new Map<string, number>()
  const repeated: Array<ReadonlyArray<string | number>> = []
  const again = new Set<string>()
  const visit = (node: unknown, path: ReadonlyArray<string | number>): void => {
    if (path.length >= depth) return
    if (isMap(node)) {
      for (const { key, value } of node.items) {
        const inner = [...path, String(isScalar(key) ? key.value : key)]
        const place = keyOf(inner)
        if (offsets.has(place) && !again.has(place)) {
          again.add(place)
          repeated.push(inner)
        }
        if (isScalar(key) && key.range) offsets.set(keyOf(inner), key.range[0])
        visit(value, inner)
      }
    } else if (isSeq<{ readonly range?: readonly [number, number, number] | null }>(node)) {
      for (const [index, item] of node.items.entries()) {
        if (item.range) offsets.set(keyOf([...path, index]), item.range[0])
        visit(item, [...path, index])
      }
    }
  }
  visit(contents, [])
  return { offsets, repeated }
}

const keyOf = (path: ReadonlyArray<PropertyKey>): string => JSON.stringify(path)
