import { Either, ParseResult, Predicate, Schema } from "effect"
import { Config, type ConfigInput, configKeys, type KeyStyle, writtenKey } from "./Config.ts"
import { ConfigError, mostLines } from "./ConfigError.ts"
import { ownPaths, pathConflicts } from "./places/OwnPaths.ts"
import { portConflicts } from "./places/OwnPorts.ts"
import { show, showPath } from "./Show.ts"
import { closest } from "./Suggest.ts"

/** One thing that is wrong with a configuration, and where: in the keys in which it was given. */
export interface Complaint {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

/** One line: the path, if there is one, and what is wrong there. */
export const complaintLine = ({ message, path }: Complaint): string =>
  path.length > 0 ? `${showPath(path)}: ${message}` : message

/** A configuration built in code, for a host that embeds the monitor. Checked like a file; absent keys are defaults. */
export const makeConfig = (input: ConfigInput): Either.Either<Config, ConfigError> =>
  Either.mapLeft(decodeConfig(input, "camelCase"), (complaints) => ConfigError.of(complaints.map(complaintLine)))

/**
 * Makes a configuration of keys and values that may be anything. Everything that is wrong is told, not only the first.
 * An absent value, `null` and `undefined` all mean the default.
 */
const decodeConfig = (given: unknown, style: KeyStyle): Either.Either<Config, ReadonlyArray<Complaint>> => {
  const { complaints, input } = readKeys(given, style)
  const config = decodeKeys(input, style)
  if (complaints.length === 0) return config
  return Either.left([...complaints, ...(Either.isLeft(config) ? config.left : [])])
}

/** What was given, under the names of `Config`. */
export interface ReadKeys {
  readonly input: Readonly<Record<string, unknown>>
  /** About what is no key, or no section. */
  readonly complaints: ReadonlyArray<Complaint>
}

/** Finds the keys in something that may be anything; their values are not looked at. */
export const readKeys = (given: unknown, style: KeyStyle): ReadKeys => {
  const { complaints, known } = readMap(given ?? {}, [], [...configKeys.keys()], style)
  const input: Record<string, unknown> = {}
  for (const [key, value] of known) {
    const keys = configKeys.get(key)
    if (keys === undefined) {
      input[key] = value
      continue
    }
    const section = readMap(value, [writtenKey(key, style)], keys, style)
    input[key] = Object.fromEntries(section.known)
    complaints.push(...section.complaints)
  }
  return { input, complaints }
}

/** Makes a configuration of values that may be anything; complaints name keys in this style. */
export const decodeKeys = (
  input: ReadKeys["input"],
  style: KeyStyle
): Either.Either<Config, ReadonlyArray<Complaint>> =>
  Either.match(decode(input), {
    onLeft: (error) =>
      Either.left(
        ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => ({
          // Below a section there are only names that the user has chosen.
          path: path.map((part, depth) => (typeof part === "string" && depth < 2 ? writtenKey(part, style) : part)),
          message
        }))
      ),
    onRight: (config) => {
      const conflicts = conflictsOf(config, style)
      return conflicts.length > 0 ? Either.left(conflicts) : Either.right(config)
    }
  })

/** What does not fit together. */
const conflictsOf = (config: Config, style: KeyStyle): ReadonlyArray<Complaint> =>
  [...pathConflicts(ownPaths(config), style), ...portConflicts(config, style)].map(({ key, message }) => ({
    path: key.map((part) => (typeof part === "string" ? writtenKey(part, style) : part)),
    message
  }))

const decode = Schema.decodeUnknownEither(Config, { errors: "all" })

/** The entries of a map that can be read, by their names in `Config`, and what is wrong with the others. */
const readMap = (
  given: unknown,
  path: ReadonlyArray<string>,
  keys: ReadonlyArray<string>,
  style: KeyStyle
): { readonly known: Map<string, unknown>; readonly complaints: Array<Complaint> } => {
  const known = new Map<string, unknown>()
  const complaints: Array<Complaint> = []
  if (!Predicate.isRecord(given)) {
    const names = keys.map((key) => writtenKey(key, style))
    complaints.push({ path, message: `expected a map of the keys ${names.join(", ")}, got ${show(given)}` })
    return { known, complaints }
  }
  const names = new Map(keys.map((key) => [writtenKey(key, style), key]))
  for (const [name, value] of Object.entries(given)) {
    const key = names.get(name)
    const entries = countEntries(value)
    if (key === undefined) {
      // Of thousands only the first are shown, and what was meant takes longer to find out than all the rest.
      const meant = complaints.length < mostLines ? ` (${advice(name, [...names.keys()], style)})` : ""
      complaints.push({ path: [...path, name], message: `unknown key${meant}` })
    } else if (entries > mostEntries && !configKeys.get(key)) {
      complaints.push({ path: [...path, name], message: `${entries} entries, but at most ${mostEntries} are read` })
    } else if (value !== null && value !== undefined) {
      known.set(key, value)
    }
  }
  return { known, complaints }
}

/** Of a list or a map; each is looked at closely. */
const mostEntries = 10_000

const countEntries = (value: unknown): number =>
  Array.isArray(value) ? value.length : Predicate.isRecord(value) ? Object.keys(value).length : 0

/** The key that was meant: one close by, one of another section, or else all that there are. */
const advice = (name: string, names: ReadonlyArray<string>, style: KeyStyle): string => {
  const near = closest(name, names)
  if (near !== undefined) return `did you mean ${near}?`
  for (const [section, keys] of configKeys) {
    const key = closest(name, keys?.map((key) => writtenKey(key, style)) ?? [])
    if (key !== undefined) return `did you mean ${writtenKey(section, style)}.${key}?`
  }
  return `known are ${names.join(", ")}`
}
