import { Predicate, Redacted, Schema } from "effect"
import { Document, isMap, isScalar } from "yaml"
import { printable } from "../domain/Text.ts"
import { Config, writtenKey } from "./Config.ts"
import { settings } from "./settings/Setting.ts"

/** What stands in place of a secret. */
const mask = "********"

/**
 * The configuration with everything that was not set filled in, as the YAML of a file; secrets are masked. With `sourceOf`
 * a comment says where each value comes from.
 */
export const showConfig = (config: Config, sourceOf?: (path: ReadonlyArray<string>) => string): string => {
  const document = new Document(masked(Schema.encodeSync(Config)(config), config))
  if (sourceOf !== undefined) {
    for (const { path } of settings) comment(document, path, ` ${printable(sourceOf(path))}`)
  }
  return document.toString({ lineWidth: 0 })
}

/** Puts a comment on the line of a key, if it is there. */
const comment = (document: Document, path: ReadonlyArray<string>, text: string): void => {
  const map = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (!isMap(map)) return
  const { key, value } = map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1)) ?? {}
  // Of a list or a map the line of the key is the first.
  const first = isScalar(value) ? value : key
  if (isScalar(first)) first.comment = text
}

/** The encoded form, but for what is `Redacted` in the decoded one, which has the same shape, and passwords in URLs. */
const masked = (encoded: unknown, decoded: unknown): unknown => {
  if (Redacted.isRedacted(decoded)) return mask
  if (typeof encoded === "string") return encoded.replace(/^(\w+:\/\/[^/@:]*):[^/@]*@/, `$1:${mask}@`)
  if (Array.isArray(encoded)) {
    return encoded.map((item, index) => masked(item, Array.isArray(decoded) ? decoded[index] : undefined))
  }
  if (!Predicate.isRecord(encoded)) return encoded
  return Object.fromEntries(
    Object.entries(encoded).map(([key, value]) => [
      writtenKey(key, "snake_case"),
      masked(value, Predicate.isRecord(decoded) ? decoded[key] : undefined)
    ])
  )
}
