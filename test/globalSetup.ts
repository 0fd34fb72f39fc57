import { chmodSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** All temporary files of a run are in one folder: the leak check looks into it, and it goes when the run ends. */
export default (): (() => void) => {
  const folder = mkdtempSync(join(tmpdir(), "dasmon-tests-"))
  // Some tests do things as a user who has no rights but everybody's.
  chmodSync(folder, 0o755)
  process.env["TMPDIR"] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
