import { mkdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

// Each process of the run has a folder of its own for temporary files, and so has whatever it starts: what another
// process is using at the moment is no leak of this one's. `globalSetup.ts` removes them all.
const folder = join(tmpdir(), String(process.pid))
mkdirSync(folder, { recursive: true })
process.env["TMPDIR"] = folder
