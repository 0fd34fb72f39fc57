import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Schema } from "effect"
import { DevnetAnnouncement } from "../../src/devnet/RunDevnet.ts"
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

  it.scopedLive("proves what the monitor saw of a peer that sends a wrong cell, and nothing of one that does not", () =>
    Effect.gen(function* () {
      const path = yield* home
      const network = yield* start(["devnet", "--peers", "corrupt-cell:1,honest:1", "--slot-duration", "500ms"])
      const [line = ""] = yield* network.printed(/^\{.*\}$/m, "90 seconds")
      const { beaconApi, peers } = yield* Schema.decode(Schema.parseJson(DevnetAnnouncement))(line)
      const config = join(path, "config.yaml")
      yield* write(
        config,
        [
          `beacon_api: ${beaconApi}`,
          `database_path: ${join(path, "dasmon.db")}`,
          "http_addr: 127.0.0.1:0",
          "peers:",
          ...peers.map(({ enr }) => `  - ${enr}`)
        ].join("\n")
      )
      const monitor = yield* start(["run", "--config", config])
      yield* monitor.printed(/invalid kzg_proof/, "60 seconds")
      yield* monitor.signal("SIGTERM")
      assert.strictEqual((yield* monitor.exited("10 seconds"))[0], 0)

      const folder = join(path, "dasmon.db.evidence")
      const files = readdirSync(folder).map((name) => join(folder, name))
      assert.isAbove(files.length, 0)
      const accused = peers.find(({ profile }) => profile === "corrupt-cell")?.peerId ?? ""
      assert.isTrue(files.every((file) => file.endsWith(`_${accused}.json`)))
      const { code, output } = yield* verify("--json", ...files)
      assert.strictEqual(code, 0, output)
    })
  )
})
