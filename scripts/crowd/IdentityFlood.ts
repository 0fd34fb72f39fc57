import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Deferred, Effect, Option, Schema, type Scope } from "effect"

/** Of identities that came to the monitor, and of those that could not. */
const FloodCounts = Schema.Struct({ connected: Schema.Int, failed: Schema.Int })
type FloodCounts = typeof FloodCounts.Type

export interface IdentityFlood {
  readonly counts: Effect.Effect<FloodCounts>
}

/** New identities that connect to a port of 127.0.0.1, so many a second, each for so many seconds; a process of its own. */
export const identityFlood = (options: {
  readonly port: number
  readonly perSecond: number
  readonly seconds: number
}): Effect.Effect<IdentityFlood, never, Scope.Scope> =>
  Effect.gen(function* () {
    const script = fileURLToPath(new URL("./FloodClient.js", import.meta.url))
    const parameters = [`/ip4/127.0.0.1/tcp/${options.port}`, String(options.perSecond), String(options.seconds)]
    const ended = yield* Deferred.make<void>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(process.execPath, [script, ...parameters], { stdio: ["ignore", "pipe", "inherit"] })),
      (child) =>
        Effect.zipRight(
          Effect.sync(() => child.kill("SIGKILL")),
          Deferred.await(ended)
        )
    )
    let last = ""
    child.once("close", () => Deferred.unsafeDone(ended, Effect.void))
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      last = text.trimEnd().split("\n").at(-1) ?? last
    })
    const decode = Schema.decodeOption(Schema.parseJson(FloodCounts))
    return { counts: Effect.sync(() => Option.getOrElse(decode(last), () => ({ connected: 0, failed: 0 }))) }
  })
