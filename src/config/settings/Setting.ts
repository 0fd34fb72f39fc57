import { SchemaAST } from "effect"
import { Config, configKeys, writtenKey } from "../Config.ts"

/** How a text becomes a value of the configuration. */
type Kind = "text" | "number" | "switch" | "list" | "map"

/** One key of the configuration, under the names by which it can be given. */
export interface Setting {
  /** As in `Config`; of a key in a section the section comes first. */
  readonly key: readonly [string] | readonly [section: string, string]
  /** As in a file. */
  readonly path: ReadonlyArray<string>
  /** `--sampling-max-slots`. */
  readonly flag: string
  /** `DASMON_SAMPLING_MAX_SLOTS`. */
  readonly variable: string
  readonly kind: Kind
}

/** What every variable begins with. */
export const variablePrefix = "DASMON_"

const settingOf = (...key: Setting["key"]): Setting => {
  const path = key.map((part) => writtenKey(part, "snake_case"))
  const words = path.join("_")
  return {
    key,
    path,
    flag: `--${words.replaceAll("_", "-")}`,
    variable: `${variablePrefix}${words.toUpperCase()}`,
    kind: kindOf(key.reduce(typeAt, SchemaAST.encodedAST(Config.ast)))
  }
}

const typeAt = (ast: SchemaAST.AST, name: string): SchemaAST.AST =>
  SchemaAST.getPropertySignatures(ast).find((property) => property.name === name)?.type ?? SchemaAST.unknownKeyword

const kindOf = (ast: SchemaAST.AST): Kind => {
  switch (ast._tag) {
    case "NumberKeyword":
      return "number"
    case "BooleanKeyword":
      return "switch"
    case "TupleType":
      return "list"
    case "TypeLiteral":
      return "map"
    case "Union":
      // One that may be a list or something else is as good as a list of it.
      return ast.types.some((type) => kindOf(type) === "list") ? "list" : "text"
    default:
      return "text"
  }
}

/** All keys of the configuration, in its order. */
export const settings: ReadonlyArray<Setting> = [...configKeys].flatMap(([key, inner]) =>
  inner === undefined ? [settingOf(key)] : inner.map((name) => settingOf(key, name))
)
