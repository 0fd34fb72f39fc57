import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { startNetwork, temporaryFolder } from "./Network.ts"
import { getJson, start } from "./Program.ts"

/** Runs `dasmon blobs` to its end. */
const blobs = (parameters: ReadonlyArray<string>, cwd: string) =>
  Effect.gen(function* () {
    const program = yield* start(["blobs", ...parameters], { cwd })
    const [code] = yield* program.exited("3 minutes")
    return { code, output: program.output(), errors: program.errors() }
  })

const Originals = Schema.Struct({
  data: Schema.Struct({
    root: Schema.String,
    blobs: Schema.Array(Schema.String),
    published: Schema.Array(Schema.Int)
  })
})

/** What the block of the slot really carries. */
const originals = (beaconApi: string, slot: number) =>
  Effect.flatMap(getJson(beaconApi, `/devnet/blobs?slot=${slot}`), Schema.decodeUnknown(Originals)).pipe(
    Effect.map(({ data }) => data)
  )

const Line = Schema.parseJson(
  Schema.Struct({
    slot: Schema.Int,
    blockRoot: Schema.String,
    index: Schema.Int,
    commitment: Schema.String,
    versionedHash: Schema.String,
    blob: Schema.String
  })
)

/** All slots are final at the start of a devnet, which begins at slot 256. */
const [half, withheld, whole] = [100, 102, 104]

describe("dasmon blobs", () => {
  it.scopedLive(
    "gives blobs of which exactly 64 columns exist as they were, and says which columns nobody had where it is one fewer",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { beaconApi } = yield* startNetwork(
          `--peers supernode:2,honest:2 --slot-duration 2s --seed 5 --partial ${half}:64,${withheld}:63`
        )
        const { blobs: expected, published, root } = yield* originals(beaconApi, half)
        assert.lengthOf(published, 64)
        const found = yield* blobs(["--beacon-api", beaconApi, "--format", "bin", "--out", "out", String(half)], folder)
        assert.strictEqual(found.code, 0, found.errors)
        assert.strictEqual(found.output, "")
        const files = expected.map((_, index) => `${half}-${index}.bin`)
        assert.sameMembers(readdirSync(join(folder, "out")), files)
        for (const [index, file] of files.entries()) {
          assert.strictEqual(`0x${readFileSync(join(folder, "out", file), "hex")}`, expected[index])
        }
        assert.include(found.errors, `block ${root}: ${expected.length} of its ${expected.length} blobs`)
        assert.match(found.errors, /recovered from 64 of the 128 columns/)
        assert.match(found.errors, /claims columns [\d -]+ and did not have them/)
        assert.match(found.errors, /margin: 64 distinct columns came, exactly the 64/)
        assert.match(found.errors, /the outcomes are not recorded: there is no dasmon\.db/)

        const lost = yield* blobs(["--beacon-api", beaconApi, "--patience", "10s", String(withheld)], folder)
        assert.strictEqual(lost.code, 1, lost.errors)
        assert.strictEqual(lost.output, "")
        const { published: some } = yield* originals(beaconApi, withheld)
        const missing = Array.from({ length: 128 }, (_, column) => column).filter((column) => !some.includes(column))
        assert.include(
          lost.errors,
          `63 of the 64 columns that it takes were to be had; not columns ${missing.join(" ")}\n`
        )
        assert.match(lost.errors, /nobody who was asked had columns /)
      }),
    480_000
  )

  it.scopedLive(
    "names a liar among those who give columns, records what it did, and gives the blobs all the same, also by root",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { beaconApi, peers } = yield* startNetwork(
          `--peers corrupt-cell:4,supernode:1 --slot-duration 2s --seed 5 --partial ${half}:64`
        )
        const { blobs: expected, root } = yield* originals(beaconApi, half)
        const parameters = ["--beacon-api", beaconApi, "--db", "own.db", "--format", "json", "--index", "1", root]
        const found = yield* blobs(parameters, folder)
        assert.strictEqual(found.code, 0, found.errors)
        const line = yield* Schema.decode(Line)(found.output.trim())
        assert.deepInclude(line, { slot: half, blockRoot: root, index: 1 })
        assert.strictEqual(line.blob, expected[1])
        const liars = peers.filter(({ profile }) => profile === "corrupt-cell").map(({ peerId }) => peerId)
        const named = [...found.errors.matchAll(/^(\S+) \(.*sent a wrong column/gm)].map(([, peerId]) => peerId)
        assert.isNotEmpty(named, found.errors)
        for (const peerId of named) assert.include(liars, peerId)
        assert.match(found.errors, /the outcomes are recorded in own\.db/)

        const report = yield* start(["report", "--db", "own.db", "--by", "peer"], { cwd: folder })
        yield* report.exited("60 seconds")
        assert.include(report.output(), named[0] ?? "nobody")
      }),
    480_000
  )

  it.scopedLive(
    "says what is wrong with what it is told, and who does not answer",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { beaconApi } = yield* startNetwork("--peers honest:1 --slot-duration 2s --seed 5")
        const { blobs: expected } = yield* originals(beaconApi, whole)
        const nothing = `0x${"00".repeat(32)}`
        const wrong: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
          [["yesterday"], /yesterday: give a slot \(digits\), or the root/],
          [["--format", "bin", String(whole)], /--format bin needs --out/],
          [["--index", "4096", String(whole)], /--index/],
          [["--index", String(expected.length), String(whole)], new RegExp(`there is no blob ${expected.length}`)],
          [["--versioned-hash", nothing, String(whole)], /blobs has the versioned hash 0x00/],
          [["999999999"], /slot 999999999 is outside of what nodes keep/],
          [[nothing], /the beacon node knows no such block/]
        ]
        for (const [parameters, message] of wrong) {
          const { code, errors, output } = yield* blobs(["--beacon-api", beaconApi, ...parameters], folder)
          assert.match(`${errors}${output}`, message)
          assert.strictEqual(code, 2, errors)
        }
        const silent = yield* blobs(["--beacon-api", "http://127.0.0.1:1", String(whole)], folder)
        assert.strictEqual(silent.code, 4, silent.errors)
        assert.match(silent.errors, /the beacon node does not answer/)
      }),
    480_000
  )
})
