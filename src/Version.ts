import { createRequire } from "node:module"
import { Schema } from "effect"

const Manifest = Schema.Struct({ version: Schema.String })

/** The version in package.json, which stands one folder above both `src` and `dist`. */
export const version: string = Schema.decodeUnknownSync(Manifest)(
  createRequire(import.meta.url)("../package.json")
).version
