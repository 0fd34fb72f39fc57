import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  rmdirSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { enrFile } from "../../src/discovery/sources/EnrFile.ts"
import { eventually } from "../Eventually.ts"
import { makeChain } from "../domain/network/Chains.ts"
import { collected, signedEnr } from "./Nodes.ts"

const chain = makeChain({})
const enr = (name: string, seq = 1n) => signedEnr(name, chain, Date.now(), { seq })
const peer = "/ip4/127.0.0.1/tcp/9000/p2p/16Uiu2HAkuVouJepyGcRNBAPiiLLffVpEhQQYN18vsrEXJ7GWg8cy"

/** A file that is watched, everything that was found in it, and what was logged. */
const watched = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-enrs-"))),
    (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
  )
  const path = join(folder, "enrs.txt")
  const logged: Array<string> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => void (logLevel.label === "WARN" && logged.push(String(message))))
  )
  const found = yield* Effect.provide(collected(enrFile(path, "20 millis")), [NodeFileSystem.layer, logger])
  const numbers = Effect.map(found, (all) => all.map(({ seq }) => Number(seq)))
  return {
    path,
    folder,
    found,
    logged,
    until: (expected: ReadonlyArray<number>) =>
      eventually(Effect.map(numbers, (seen) => (assert.deepStrictEqual(seen, [...expected]), true))),
    untilLogged: (text: string) => eventually(() => logged.some((line) => line.includes(text)))
  }
})

describe("a file of ENRs", () => {
  it.scopedLive("is looked for, and read once it is there", () =>
    Effect.gen(function* () {
      const { logged, path, until, untilLogged } = yield* watched
      yield* untilLogged(`${path}: there is no such file; it is looked for`)
      writeFileSync(path, `${enr("a", 1n)}\n`)
      yield* until([1])
      assert.strictEqual(logged.length, 1)
    })
  )

  it.scopedLive("is read again when it is written, appended to, replaced, cut short, or away for a while", () =>
    Effect.gen(function* () {
      const { folder, path, until, untilLogged } = yield* watched
      writeFileSync(path, `${enr("a", 1n)}\n`)
      yield* until([1])
      writeFileSync(path, `${enr("a", 2n)}\n${enr("b", 3n)}\n`)
      yield* until([1, 2, 3])
      appendFileSync(path, `${enr("c", 4n)}\n`)
      yield* until([1, 2, 3, 2, 3, 4])
      writeFileSync(join(folder, "new"), `${enr("d", 5n)}\n`)
      renameSync(join(folder, "new"), path)
      yield* until([1, 2, 3, 2, 3, 4, 5])
      truncateSync(path, 0)
      writeFileSync(path, `${enr("e", 6n)}\n`)
      yield* until([1, 2, 3, 2, 3, 4, 5, 6])
      rmSync(path)
      yield* untilLogged("there is no such file")
      mkdirSync(path)
      yield* untilLogged("this is no file")
      rmdirSync(path)
      writeFileSync(path, `${enr("e", 6n)}\n`)
      yield* until([1, 2, 3, 2, 3, 4, 5, 6, 6])
    })
  )

  it.scopedLive("has its bad lines told with their numbers, once, and its good ones taken", () =>
    Effect.gen(function* () {
      const { found, logged, path, untilLogged } = yield* watched
      const spoilt = `${enr("a").slice(0, 60)}A${enr("a").slice(61)}`
      const lines = [
        "# our own nodes",
        "",
        `  ${enr("a")}  # the first`,
        "hello",
        spoilt,
        "/ip4/127.0.0.1/tcp/9000",
        `- "${enr("b", 2n)}"`,
        peer,
        signedEnr("c", chain, Date.now(), { entries: { tcp: new Uint8Array(0) } })
      ]
      writeFileSync(path, `\uFEFF${lines.join("\r\n")}`)
      yield* untilLogged(`${path}:9: the ENR has no`)
      assert.sameDeepMembers(
        (yield* found).map(({ seq, source }) => [seq, source]),
        [
          [1n, "file"],
          [2n, "file"],
          [undefined, "file"]
        ]
      )
      const told = logged.filter((line) => line.includes(`${path}:`) && !line.includes("no such file"))
      assert.deepStrictEqual(
        told.map((line) => line.slice(path.length, path.length + 3)),
        [":4:", ":5:", ":6:", ":9:"]
      )
      yield* Effect.sleep("100 millis")
      assert.strictEqual((yield* found).length, 3)
    })
  )

  it.scopedLive("does not tell of each of very many bad lines, and does not read what is too long", () =>
    Effect.gen(function* () {
      const { found, logged, path, untilLogged } = yield* watched
      writeFileSync(path, `${"hello\n".repeat(500)}${enr("a")}\n`)
      yield* untilLogged("480 more lines name no node")
      assert.isBelow(logged.length, 24)
      yield* eventually(Effect.map(found, (all) => all.length === 1))
      writeFileSync(path, "x".repeat(4 * 2 ** 20 + 1))
      yield* untilLogged("it is longer than 4194304 bytes")
    })
  )
})
