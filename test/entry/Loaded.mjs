// Imports a package and tells every module that was loaded for it: those that are imported, then those that are required.
import { createRequire, register } from "node:module"

const tell = `import { writeSync } from "node:fs"
export const load = (url, context, next) => { writeSync(1, url + "\\n"); return next(url, context) }`
register(`data:text/javascript,${encodeURIComponent(tell)}`)
await import(process.argv[2])
process.stdout.write(Object.keys(createRequire(import.meta.url).cache).join("\n"))
