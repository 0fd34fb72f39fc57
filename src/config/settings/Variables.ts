import { Either } from "effect"
import { closest } from "../Suggest.ts"
import { type Given, valueOf } from "./Given.ts"
import { settings, variablePrefix } from "./Setting.ts"

/** What was found in the environment of the program. */
export interface VariableReading {
  readonly given: ReadonlyArray<Given>
  /** Each names the variable. */
  readonly complaints: ReadonlyArray<string>
}

/** The variable that names the file of the configuration. */
export const fileVariable = `${variablePrefix}CONFIG`

/**
 * Reads the settings among the variables of an environment. An empty one counts as not set. One that begins like ours and
 * is none is a mistake, unless it is known to be somebody else's.
 */
export const readVariables = (environment: Readonly<Record<string, string | undefined>>): VariableReading => {
  const given: Array<Given> = []
  const complaints: Array<string> = []
  for (const setting of settings) {
    const text = environment[setting.variable]
    if (text === undefined || text === "") continue
    const value = valueOf(setting, [text])
    if (Either.isRight(value)) given.push({ setting, value: value.right, from: setting.variable })
    else complaints.push(`${setting.variable}: ${value.left}`)
  }
  for (const [name, text = ""] of Object.entries(environment)) {
    if (!name.startsWith(variablePrefix) || names.has(name) || isOfOthers(name, text)) continue
    const meant = closest(name.slice(variablePrefix.length), suffixes)
    const advice =
      meant === undefined
        ? "a variable is a key of the configuration: DASMON_SAMPLING_MAX_SLOTS is sampling.max_slots"
        : `did you mean ${variablePrefix}${meant}?`
    complaints.push(`${name.slice(0, 100)}: there is no such setting (${advice})`)
  }
  return { given, complaints }
}

const names: ReadonlySet<string> = new Set([
  ...settings.map(({ variable }) => variable),
  fileVariable,
  // Of the project's own tests.
  "DASMON_VECTORS",
  "DASMON_TEST_TIME_FACTOR",
  "DASMON_WATCH_MINUTES"
])
const suffixes = [...settings.map(({ variable }) => variable), fileVariable].map((name) =>
  name.slice(variablePrefix.length)
)

/** Kubernetes tells every pod of a service called dasmon in this way. */
const isOfOthers = (name: string, text: string): boolean =>
  /^(tcp|udp|sctp):\/\//.test(text) ||
  /_(SERVICE_(HOST|PORT(_.+)?)|PORT_\d+_(TCP|UDP|SCTP)_(PROTO|PORT|ADDR))$/.test(name)
