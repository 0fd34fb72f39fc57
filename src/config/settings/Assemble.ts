import { Either, Predicate } from "effect"
import type { Config } from "../Config.ts"
import { ConfigError } from "../ConfigError.ts"
import { type Complaint, complaintLine, decodeKeys, readKeys } from "../DecodeConfig.ts"
import type { YamlDocument } from "../YamlDocument.ts"
import type { Given } from "./Given.ts"
import { settings } from "./Setting.ts"

/** Everything that a configuration is made of, the weaker before the stronger. */
export interface Sources {
  /** Its name is for the messages. */
  readonly file: { readonly name: string; readonly yaml: YamlDocument } | undefined
  readonly given: ReadonlyArray<Given>
}

/** A configuration, and where it comes from. */
export interface Assembled {
  readonly config: Config
  /** Of a key as in a file: `--workers`, `DASMON_WORKERS`, `dasmon.yaml:3`, or `default`. */
  readonly sourceOf: (path: ReadonlyArray<string>) => string
  /** Tells what else is wrong, each at the place where it was given. */
  readonly refuse: (complaints: ReadonlyArray<Complaint>) => ConfigError
}

/** Puts together what is set in a file, by variables and by flags; what is set nowhere is default. */
export const assemble = ({ file, given }: Sources): Either.Either<Assembled, ConfigError> => {
  const read = readKeys(file?.yaml.value, "snake_case")
  const input = overlay(read.input, given)
  const lastOf = (path: ReadonlyArray<PropertyKey>) =>
    given.findLast(({ setting }) => setting.path.every((part, depth) => part === path[depth]))

  const locateInFile = (complaint: Complaint): Located => {
    const { path } = complaint
    const line = file?.yaml.lineOf(path)
    if (file !== undefined && line !== undefined)
      return { line, text: `${file.name}:${line}: ${complaintLine(complaint)}` }
    // What is lacking in a section is told by what is there of it.
    const neighbour = given.find(({ setting }) => setting.path.length > 1 && setting.path[0] === path[0])?.from
    const where = neighbour ?? file?.name
    return { line: Infinity, text: `${where === undefined ? "" : `${where}: `}${complaintLine(complaint)}` }
  }
  const locate = (complaint: Complaint): Located => {
    const { message, path } = complaint
    const own = lastOf(path)
    if (own === undefined) return locateInFile(complaint)
    const rest = path.slice(own.setting.path.length)
    // The only entry of a list is told from others by nothing.
    const isOnly = Array.isArray(own.value) && own.value.length === 1 && rest[0] === 0
    const within = [own.from, ...(isOnly ? rest.slice(1) : rest)]
    return { line: Infinity, text: complaintLine({ path: within, message }) }
  }
  const decoded = decodeKeys(input, "snake_case")
  const wrong = [
    ...[...(file?.yaml.complaints ?? []), ...read.complaints].map(locateInFile),
    ...(Either.isLeft(decoded) ? decoded.left : []).map(locate)
  ]
  if (Either.isLeft(decoded) || wrong.length > 0) return Either.left(inOrder(wrong))
  return Either.right({
    config: decoded.right,
    refuse: (complaints) => inOrder(complaints.map(locate)),
    sourceOf: (path) => {
      const own = lastOf(path)
      if (own !== undefined) return own.from
      const setting = settings.find((setting) => setting.path.join(".") === path.join("."))
      if (file === undefined || setting === undefined || valueIn(read.input, setting.key) === undefined)
        return "default"
      const line = file.yaml.lineOf(path)
      return line === undefined ? file.name : `${file.name}:${line}`
    }
  })
}

interface Located {
  /** In the file; `Infinity` for what does not stand in it. */
  readonly line: number
  readonly text: string
}

/** As the file has them, and then the others. */
const inOrder = (wrong: ReadonlyArray<Located>): ConfigError =>
  ConfigError.of([...wrong].sort((a, b) => (a.line === b.line ? 0 : a.line - b.line)).map(({ text }) => text))

type Keyed = Readonly<Record<string, unknown>>

const overlay = (input: Keyed, given: ReadonlyArray<Given>): Keyed => {
  const all = { ...input }
  for (const {
    setting: {
      key: [first, second]
    },
    value
  } of given) {
    all[first] = second === undefined ? value : { ...sectionIn(all, first), [second]: value }
  }
  return all
}

const valueIn = (input: Keyed, [first, second]: ReadonlyArray<string>): unknown =>
  second === undefined ? input[first ?? ""] : sectionIn(input, first ?? "")[second]

const sectionIn = (input: Keyed, name: string): Keyed => {
  const section = input[name]
  return Predicate.isRecord(section) ? section : {}
}
