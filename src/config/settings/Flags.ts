import { parseArgs } from "node:util"
import { Either } from "effect"
import { show } from "../Show.ts"
import { closest } from "../Suggest.ts"
import { type Given, valueOf } from "./Given.ts"
import { settings } from "./Setting.ts"

/** What was found on a command line. */
export interface FlagReading {
  readonly given: ReadonlyArray<Given>
  /** Each names the flag. */
  readonly complaints: ReadonlyArray<string>
  /** The arguments that are not about settings, in their order. */
  readonly rest: ReadonlyArray<string>
}

/**
 * Takes the flags of settings off the arguments of a command: `--key value` or `--key=value`, and a switch also alone. A
 * flag that is neither a setting's nor one of `own` (with dashes), which are the command's, is a mistake.
 */
export const readFlags = (parameters: ReadonlyArray<string>, own: ReadonlyArray<string>): FlagReading => {
  const { tokens } = parseArgs({ args: [...parameters], options, strict: false, allowPositionals: true, tokens: true })
  const texts = new Map<string, Array<string>>()
  const complaints: Array<string> = []
  const taken = new Set<number>()
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== "option" || !token.rawName.startsWith("--") || own.includes(token.rawName)) continue
    const setting = byFlag.get(token.rawName)
    const next = tokens[index + 1]
    taken.add(token.index)
    if (setting === undefined) {
      complaints.push(`${show(token.rawName).slice(1, -1)}: ${unknown(token.rawName, own)}`)
      // Its value, most likely: who misspells a flag is to hear of that, and not of what follows it.
      if (next?.kind === "positional" && token.value === undefined) taken.add(next.index)
      continue
    }
    let value = token.value
    if (value !== undefined && token.inlineValue === false) taken.add(token.index + 1)
    if (setting.kind === "switch" && value === undefined) {
      const said = next?.kind === "positional" && /^(true|false)$/.test(next.value) ? next : undefined
      if (said !== undefined) taken.add(said.index)
      value = said?.value ?? "true"
    }
    if (value === undefined || (token.inlineValue === false && value.startsWith("--"))) {
      complaints.push(`${setting.flag}: needs a value (${setting.flag}=… takes any text for one)`)
      continue
    }
    texts.set(setting.flag, [...(texts.get(setting.flag) ?? []), value])
  }
  const { complaints: unreadable, given } = givenOf(texts)
  return {
    given,
    complaints: [...complaints, ...unreadable],
    rest: parameters.filter((_, index) => !taken.has(index))
  }
}

/** What the texts of flags (with dashes) come to; in the order of the configuration. */
export const givenOf = (texts: ReadonlyMap<string, ReadonlyArray<string>>): Omit<FlagReading, "rest"> => {
  const complaints: Array<string> = []
  const given = settings.flatMap((setting): ReadonlyArray<Given> => {
    const all = texts.get(setting.flag) ?? []
    if (all.length === 0) return []
    const value = valueOf(setting, all)
    if (Either.isRight(value)) return [{ setting, value: value.right, from: setting.flag }]
    complaints.push(`${setting.flag}: ${value.left}`)
    return []
  })
  return { given, complaints }
}

const byFlag = new Map(settings.map((setting) => [setting.flag, setting]))

const options = Object.fromEntries(
  settings.map(({ flag, kind }) => [
    flag.slice(2),
    { type: kind === "switch" ? ("boolean" as const) : ("string" as const), multiple: true }
  ])
)

const unknown = (flag: string, own: ReadonlyArray<string>): string => {
  const names = [...own, ...byFlag.keys()].map((name) => name.slice(2))
  const meant = closest(flag.slice(2), names)
  return meant === undefined
    ? "there is no such flag (a flag is a key of the configuration: --sampling-max-slots is sampling.max_slots)"
    : `there is no such flag (did you mean --${meant}?)`
}
