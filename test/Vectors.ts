import { existsSync } from "node:fs"
import { join } from "node:path"
import { it } from "@effect/vitest"

/** The folder of further test vectors. */
export const vectorsFolder: string = process.env["DASMON_VECTORS"] ?? ""

/** A test over some files of that folder. Where one lacks the test is skipped, and its name says why. */
export const itWithVectors = (name: string, files: ReadonlyArray<string>, body: () => void | Promise<void>): void => {
  const why = whyNot(files, vectorsFolder)
  it.skipIf(why !== undefined)(why === undefined ? name : `${name} (${why})`, body)
}

/** Why tests over these files of the folder cannot run; `undefined` if they can. */
export const whyNot = (files: ReadonlyArray<string>, folder: string): string | undefined => {
  if (folder === "") return "needs DASMON_VECTORS"
  const lacking = files.filter((file) => !existsSync(join(folder, file)))
  return lacking.length === 0 ? undefined : `DASMON_VECTORS lacks ${lacking.join(", ")}`
}
