import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect, Option } from "effect"
import { targetsFrom } from "../../../src/cli/scan/ReadTargets.ts"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { temporaryFolder } from "../../history/store/Fixture.ts"

const [one, two] = [identityOf(1, "one").peerId, identityOf(1, "two").peerId]

/** The peers that a file names, or what is complained of. */
const read = (file: string, texts: ReadonlyArray<string> = []) =>
  Effect.gen(function* () {
    const lines: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    return yield* targetsFrom(texts, Option.some(file)).pipe(
      Effect.map((targets) => targets.map(({ address }) => address.peerId)),
      Effect.catchTag("ProgramFailed", ({ exitCode }) => Effect.succeed([String(exitCode), ...lines])),
      Effect.withConsole({ ...console, error: (line: unknown) => Effect.sync(() => void lines.push(String(line))) })
    )
  }).pipe(Effect.provide(NodeContext.layer))

describe("a file of targets", () => {
  it.scopedLive("is read line by line, comments aside, each peer once", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "nodes.txt")
      writeFileSync(file, `# mine\n${one}   # the first\r\n\n${two}\n${one}\n`)
      assert.deepStrictEqual(yield* read(file), [one, two])
    })
  )

  it.live("is read no further than a list of targets may be long, however long it is", () =>
    Effect.gen(function* () {
      const [code, line = ""] = yield* read("/dev/zero")
      assert.strictEqual(code, "2")
      assert.match(line, /--file \/dev\/zero: it is longer than 2097152 characters/)
    })
  )

  it.scopedLive("that is none is complained of", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const absent = yield* read(join(folder, "nobody.txt"))
      assert.match(absent.join(" "), /^2 dasmon scan: --file \S+nobody.txt: it cannot be read: .*ENOENT/)
      assert.match((yield* read(folder)).join(" "), /^2 dasmon scan: --file \S+: it cannot be read: .*EISDIR/)
    })
  )

  it.live("does not take a flag that is misspelt for a target", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* read("/dev/null", ["--formt", "json"]), [
        "2",
        "dasmon scan: --formt: there is no such flag; dasmon scan --help names them all"
      ])
    })
  )
})
