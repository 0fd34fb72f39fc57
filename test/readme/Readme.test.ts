import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { configKeys } from "../../src/config/Config.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

const Manifest = Schema.parseJson(
  Schema.Struct({ exports: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
)

describe("the README", () => {
  it("shows the embedding example that is compiled with the tests", () => {
    const example = readFileSync(new URL("./Embedding.ts", import.meta.url), "utf8")
    assert.include(readme, `\`\`\`ts\n${example}\`\`\``)
  })

  it("names every package that can be imported", () => {
    const manifest = Schema.decodeSync(Manifest)(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    for (const path of Object.keys(manifest.exports)) assert.include(readme, `| \`dasmon${path.slice(1)}\` `)
  })

  it("names every key of the configuration", () => {
    const snake = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    for (const [key, inner] of configKeys) {
      assert.include(readme, snake(key))
      for (const name of inner ?? []) assert.match(readme, new RegExp(`[.]${snake(name)}\\b`), `${key}.${name}`)
    }
  })
})
