import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"

const domain = fileURLToPath(new URL("../../src/domain/", import.meta.url))

/** What a page in a browser knows of the monitor. */
const shown = [
  "Event.ts",
  "EventFilter.ts",
  "report/Question.ts",
  "Status.ts",
  "report/SlotDetail.ts",
  "report/PeerDetail.ts",
  "peer/Verdict.ts"
]

/** Those that read what strangers write of themselves, with the libraries that made it. */
const readers = new Set([
  "peer/AddressScope.ts",
  "peer/NodeId.ts",
  "peer/NodeRecord.ts",
  "peer/PeerAddress.ts",
  "peer/RecordSubnets.ts"
])

const files = readdirSync(domain, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))

describe("the domain", () => {
  it.each(shown)("has nothing but Effect behind %s", (name) => {
    const closure = importsOf(name)
    assert.include([...closure.files], name)
    assert.deepStrictEqual(
      [...closure.packages].filter((specifier) => specifier !== "effect"),
      []
    )
  })

  it.each(files)("knows no room above it and no platform in %s", (name) => {
    const { packages } = importsIn(name)
    const paths = [...codeOf(name).matchAll(/ from "(\.[^"]+)"/g)].map(([, specifier = ""]) => pathOf(name, specifier))
    assert.deepStrictEqual(
      paths.filter((path) => path.startsWith("..")),
      []
    )
    const allowed = /^(effect|@noble\/hashes\/.+|@lodestar\/types)$/
    assert.deepStrictEqual(
      packages.filter((specifier) => (readers.has(name) ? specifier.startsWith("node:") : !allowed.test(specifier))),
      []
    )
    assert.notMatch(
      codeOf(name).replaceAll(/"[^"\n]*"/g, ""),
      /\b(Buffer|process|require|__dirname|import\.meta|setImmediate)\b/
    )
  })

  it("sees what it looks for", () => {
    const closure = importsOf("peer/PeerAddress.ts")
    assert.includeMembers([...closure.packages], ["@multiformats/multiaddr", "@chainsafe/enr", "effect"])
    assert.includeMembers([...closure.files], ["peer/NodeRecord.ts", "Text.ts"])
  })
})

/** What is imported by a file, types aside: they are gone when it runs. Paths are from the domain's folder. */
const importsIn = (
  name: string
): { readonly packages: ReadonlyArray<string>; readonly paths: ReadonlyArray<string> } => {
  const statement =
    /^(?:import|export) (?!type\b)[\w*{][^"=]*? from "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm
  const specifiers = [...codeOf(name).matchAll(statement)].map(
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? ""
  )
  return {
    packages: specifiers.filter((specifier) => !specifier.startsWith(".")),
    paths: specifiers.filter((specifier) => specifier.startsWith(".")).map((specifier) => pathOf(name, specifier))
  }
}

const pathOf = (name: string, specifier: string): string => relative(domain, join(domain, name, "..", specifier))

/** Everything that is loaded with a file. */
const importsOf = (name: string): { readonly files: ReadonlySet<string>; readonly packages: ReadonlySet<string> } => {
  const packages = new Set<string>()
  const files = new Set([name])
  for (const file of files) {
    const imports = importsIn(file)
    for (const path of imports.paths) files.add(path)
    for (const specifier of imports.packages) packages.add(specifier)
  }
  return { files, packages }
}

const codeOf = (name: string): string =>
  readFileSync(join(domain, name), "utf8")
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/^\s*\/\/.*$/gm, "")
