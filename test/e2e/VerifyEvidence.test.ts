import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { encodeEvidence } from "../../src/evidence/Evidence.ts"
import { defaultBounds, EvidenceStore } from "../../src/evidence/EvidenceStore.ts"
import * as FolderEvidence from "../../src/evidence/FolderEvidence.ts"
import { accused, honest, offences } from "../evidence/Pieces.ts"
import { start } from "./Program.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-evidence-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** What the program prints and its exit code. */
const verify = (...parameters: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const program = yield* start(["verify-evidence", ...parameters])
    const [code] = yield* program.exited("30 seconds")
    return { code, output: program.output(), errors: program.errors() }
  })

const write = (file: string, text: string) => Effect.sync(() => writeFileSync(file, text))

describe("node dist/main.js verify-evidence", () => {
  it.scopedLive(
    "ends with 0 for what the store kept, 1 for an accusation that does not hold, 2 for what is no evidence",
    () =>
      Effect.gen(function* () {
        const path = yield* home
        const folder = join(path, "dasmon.db.evidence")
        const pieces = offences.map(([, check, sidecar], index) => {
          const evidence = accused(sidecar, check)
          return { ...evidence, accusation: { ...evidence.accusation, judgedAt: index } }
        })
        yield* Effect.flatMap(EvidenceStore, ({ keep }) => keep(pieces)).pipe(
          Effect.provide(FolderEvidence.layer({ path: folder, ...defaultBounds }))
        )
        const files = readdirSync(folder).map((name) => join(folder, name))
        assert.lengthOf(files, offences.length)
        const [file = ""] = files
        const holds = yield* verify(...files)
        assert.strictEqual(holds.code, 0, holds.output + holds.errors)
        assert.strictEqual(holds.output.match(/the accusation holds/g)?.length, offences.length)
        assert.match(holds.output, new RegExp(`slot ${honest.slot} of test has the root 0x[0-9a-f]{64}: compare`))
        assert.include(holds.output, "libp2p signs nothing")

        const text = readFileSync(file, "utf8")
        const framed = join(path, "framed.json")
        const cut = join(path, "cut.json")
        const later = join(path, "later.json")
        const hostile = accused(honest, "kzg_proof")
        yield* write(framed, encodeEvidence({ ...hostile, peer: { ...hostile.peer, agent: "\u001b[2J\nholds" } }))
        yield* write(cut, text.slice(0, 500))
        yield* write(later, text.replace('"version":1', '"version":9'))

        const refuted = yield* verify(framed, file)
        assert.strictEqual(refuted.code, 1)
        assert.match(refuted.output, /NO\s+the sidecar passes every check\n[^]*DOES NOT hold/)
        assert.notInclude(refuted.output, "\u001b")

        const unreadable = yield* verify("--json", framed, cut, later, join(path, "none.json"), path, file)
        assert.strictEqual(unreadable.code, 2)
        const lines = unreadable.output.trim().split("\n")
        assert.deepStrictEqual(
          lines.map((line) => JSON.parse(line)).map(({ error, holds }) => error ?? holds),
          [
            false,
            "it is not whole JSON",
            "it has format version 9, and this program reads version 1",
            "there is no such file",
            "it is not a file",
            true
          ]
        )
        assert.include((yield* verify(cut)).errors, "cut.json: it is not whole JSON")
      }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})
