import { Predicate, Redacted, Schema } from "effect"
import { stringify } from "yaml"
import { Config, writtenKey } from "./Config.ts"

/** What stands in place of a secret. */
const mask = "********"

/** The configuration with everything that was not set filled in, as the YAML of a file; secrets are masked. */
export const showConfig = (config: Config): string => stringify(masked(Schema.encodeSync(Config)(config), config))

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
