import { SchemaAST } from "effect"
import { Config, configKeys, writtenKey } from "../Config.ts"

/** How a text becomes a value of the configuration. */
type Kind = "text" | "number" | "switch" | "list" | "numbers" | "map"

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
  /** What may stand in the place of a list. */
  readonly words: ReadonlyArray<string>
}

/** What every variable begins with. */
export const variablePrefix = "DASMON_"

const settingOf = (...key: Setting["key"]): Setting => {
  const path = key.map((part) => writtenKey(part, "snake_case"))
  const words = path.join("_")
  const type = key.reduce(typeAt, SchemaAST.encodedAST(Config.ast))
  return {
    key,
    path,
    flag: `--${words.replaceAll("_", "-")}`,
    variable: `${variablePrefix}${words.toUpperCase()}`,
    kind: kindOf(type),
    words: wordsOf(type)
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
      return ast.rest.some(({ type }) => kindOf(type) === "number") ? "numbers" : "list"
    case "TypeLiteral":
      return "map"
    case "Union":
      // One that may be a list or something else is as good as a list of it.
      return ast.types.map(kindOf).find((kind) => kind === "list" || kind === "numbers") ?? "text"
    default:
      return "text"
  }
}

const wordsOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  if (SchemaAST.isUnion(ast)) return ast.types.flatMap(wordsOf)
  return SchemaAST.isLiteral(ast) && typeof ast.literal === "string" ? [ast.literal] : []
}

/** All keys of the configuration, in its order. */
export const settings: ReadonlyArray<Setting> = [...configKeys].flatMap(([key, inner]) =>
  inner === undefined ? [settingOf(key)] : inner.map((name) => settingOf(key, name))
)
