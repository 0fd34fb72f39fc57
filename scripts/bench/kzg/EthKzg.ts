import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Command } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { Data, Effect } from "effect"

/** node-eth-kzg is not there and cannot be had; a sentence. */
export class EthKzgMissing extends Data.TaggedError("EthKzgMissing")<{ readonly message: string }> {}

const name = "@crate-crypto/node-eth-kzg"
const version = "0.10.0"
const spec = `${name}@${version}`

/** In `build`, which is thrown away with all else there. */
const folder = fileURLToPath(new URL(`../../../eth-kzg-${version}`, import.meta.url))

/** The folder in which node-eth-kzg is installed: it is compared only, and no dependency. npm fetches it where it is not there. */
export const ethKzgFolder: Effect.Effect<string, EthKzgMissing> = Effect.gen(function* () {
  if (existsSync(join(folder, "node_modules", name, "package.json"))) return folder
  yield* Effect.sync(() => mkdirSync(folder, { recursive: true }))
  const code = yield* Command.make(npm, ...install).pipe(Command.workingDirectory(folder), Command.exitCode)
  return code === 0 ? folder : yield* new EthKzgMissing({ message: `npm could not install ${spec}: exit code ${code}` })
}).pipe(
  Effect.timeout("3 minutes"),
  Effect.catchAll((error) =>
    error._tag === "EthKzgMissing"
      ? error
      : new EthKzgMissing({ message: `npm could not install ${spec}: ${error.message}` })
  ),
  Effect.provide(NodeContext.layer)
)

const npm = process.platform === "win32" ? "npm.cmd" : "npm"
/** Nothing of the package runs before it is measured, and no project above the folder is touched. */
const install = ["install", spec, "--prefix", ".", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"]
