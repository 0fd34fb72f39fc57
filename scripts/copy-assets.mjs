import { cpSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

// What the built program reads beside its code: tsc copies nothing that it does not compile. The argument is the folder
// that `src` was built to.
const [target = "dist"] = process.argv.slice(2)
const root = new URL("../", import.meta.url)
const from = new URL("src/http/page/assets", root)
const to = new URL(`${target}/http/page/assets`, root)

rmSync(to, { force: true, recursive: true })
cpSync(fileURLToPath(from), fileURLToPath(to), { recursive: true })
