import { Clock, Console, Effect } from "effect"

/**
 * Has `end` end the process as soon as the disk has answered, and kills the process when that takes too long: at exit
 * Node waits without a limit for what it has asked the disk for, and one that hangs would hold it up for good.
 *
 * All that is kept is written so that nothing is half done then: a transaction, a whole line, a file under its final
 * name.
 */
export const endProcess = (code: number, end: (code: number) => void): Effect.Effect<void> =>
  Effect.gen(function* () {
    const begun = yield* Clock.currentTimeMillis
    while (isAtDisk()) {
      if ((yield* Clock.currentTimeMillis) - begun >= diskLimitMs) {
        yield* Console.error("dasmon: the disk does not answer: the process is killed")
        process.kill(process.pid, "SIGKILL")
      }
      yield* Effect.sleep("50 millis")
    }
    end(code)
  })

const isAtDisk = (): boolean =>
  process.getActiveResourcesInfo().some((name) => name.startsWith("FSReq") || name === "FileHandleCloseReq")

const diskLimitMs = 1_500
