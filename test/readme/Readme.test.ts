import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { costLines, partLines } from "../../scripts/bench/cost/Cost.ts"
import { configKeys } from "../../src/config/Config.ts"
import { isHonest, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { FindingKind } from "../../src/domain/peer/Finding.ts"
import { Verdict } from "../../src/domain/peer/Verdict.ts"
import { outcomeKinds } from "../../src/domain/probe/Outcome.ts"

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8")

const Manifest = Schema.parseJson(
  Schema.Struct({ exports: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
)

/** The words in the first column of its table of outcomes, verdicts and findings. */
const tableWords = new Set(
  readme
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([a-z_]+)`/g)].map(([, word]) => word))
)

/** The profiles in the line that begins so. */
const profilesIn = (start: string): ReadonlyArray<string> => {
  const text = readme
    .slice(readme.indexOf(start))
    .split(/\n(?=- |\n)/, 1)
    .join("")
  return [...text.matchAll(/`([a-z-]+)`/g)].flatMap(([, name]) => name ?? [])
}

describe("the README", () => {
  it("explains every outcome, verdict and finding in its table", () => {
    for (const word of [...outcomeKinds, ...Verdict.literals, ...FindingKind.literals]) {
      assert.isTrue(tableWords.has(word), word)
    }
  })

  it("lists the profiles of the devnet, the honest ones and the others", () => {
    const honest = profileNames.filter(isHonest)
    assert.sameMembers([...profilesIn("- Honest, and never to be blamed")], [...honest])
    const others = profileNames.filter((name) => !isHonest(name))
    assert.sameMembers([...profilesIn("- Not to be relied on")], [...others])
  })

  it("shows the embedding example that is compiled with the tests", () => {
    const example = readFileSync(new URL("./Embedding.ts", import.meta.url), "utf8")
    assert.include(readme, `\`\`\`ts\n${example}\`\`\``)
  })

  it("names every package that can be imported", () => {
    const manifest = Schema.decodeSync(Manifest)(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
    for (const path of Object.keys(manifest.exports)) assert.include(readme, `| \`dasmon${path.slice(1)}\` `)
  })

  it("tells what it costs to watch mainnet as it is computed", () => {
    const rows = readme.split("\n").map((line) =>
      line
        .split("|")
        .map((cell) => cell.trim())
        .slice(1, -1)
        .join(" | ")
    )
    for (const line of [...costLines, ...partLines]) assert.include(rows, line)
  })

  it("names every key of the configuration", () => {
    const snake = (key: string) => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    for (const [key, inner] of configKeys) {
      assert.include(readme, snake(key))
      for (const name of inner ?? []) assert.match(readme, new RegExp(`[.]${snake(name)}\\b`), `${key}.${name}`)
    }
  })
})
