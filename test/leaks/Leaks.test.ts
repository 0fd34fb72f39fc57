import { execFile, spawn } from "node:child_process"
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import { Effect, Fiber } from "effect"
import { assert, describe, it } from "vitest"
import { describeLeft, leftSince, lookAround } from "./Leaks.ts"

/** Leaves something behind; gives what takes it away again. */
type Leave = () => Promise<() => unknown>

const leaks: ReadonlyArray<readonly [what: RegExp, leave: Leave]> = [
  [
    /^timer of 60000 ms, made in "now"\n +at .*Leaks\.test\.ts/,
    async () => {
      const timer = setInterval(() => undefined, 60_000)
      timer.unref()
      return () => clearInterval(timer)
    }
  ],
  [
    /^listening socket/,
    () =>
      new Promise((resolve) => {
        const server = createServer().listen(0, "127.0.0.1", () => resolve(() => server.close()))
        server.unref()
      })
  ],
  [
    /^(?:\d × )?worker/,
    async () => {
      const worker = new Worker("setInterval(() => undefined, 1000)", { eval: true })
      return () => worker.terminate()
    }
  ],
  [
    /^child process/,
    async () => {
      const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"], { stdio: "ignore" })
      return () => child.kill("SIGKILL")
    }
  ],
  [
    /^signal handler/,
    async () => {
      const listener = () => undefined
      process.on("SIGUSR2", listener)
      return () => process.off("SIGUSR2", listener)
    }
  ],
  [
    /^fiber \(the forgotten one daemon=lost\), made in "now"/,
    async () => {
      const fiber = Effect.never.pipe(
        Effect.withSpan("the forgotten one"),
        Effect.annotateLogs({ daemon: "lost" }),
        Effect.runFork
      )
      return () => Effect.runPromise(Fiber.interrupt(fiber))
    }
  ],
  [
    /^dasmon-\w+ in the folder for temporary files/,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "dasmon-"))
      return () => rmSync(folder, { recursive: true })
    }
  ],
  ...(process.platform === "linux"
    ? [
        [
          /^open file .*\(deleted\)/,
          async () => {
            const path = join(tmpdir(), "open")
            const file = openSync(path, "w")
            rmSync(path)
            return () => closeSync(file)
          }
        ] as const
      ]
    : [])
]

describe("the leak check", () => {
  it.each(leaks)("tells of what is left: %s", async (what, leave) => {
    const before = lookAround()
    const takeAway = await leave()
    const left = describeLeft(await leftSince(before, 200), () => "now")
    assert.match(left.join("\n"), new RegExp(what.source, "m"))
    await takeAway()
    assert.deepStrictEqual(
      describeLeft(await leftSince(before, 10_000), () => "now"),
      []
    )
  })

  it("waits for what is about to end", async () => {
    const before = lookAround()
    setTimeout(() => undefined, 100)
    assert.deepStrictEqual(await leftSince(before, 10_000), [])
  })

  it("fails the file that left something, and says which of its tests did", async () => {
    const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
    const vitest = pathOf("../../node_modules/vitest/vitest.mjs")
    const parameters = [vitest, "run", "--config", pathOf("fixtures/vitest.config.ts")]
    const output = await new Promise<string>((resolve) => {
      const options = { cwd: pathOf("../.."), env: { ...process.env, NO_COLOR: "1" } }
      execFile(process.execPath, parameters, options, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`))
    })
    assert.match(output, /Test Files +1 failed/)
    assert.match(output, /timer of 60000 ms, made in "forgets a timer"\n +at .*Leaking\.ts/)
    assert.match(output, /Tests +2 passed/)
  })
})
