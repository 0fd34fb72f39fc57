import { Worker as Thread } from "node:worker_threads"
import { Worker } from "@effect/platform"
import { NodeWorker } from "@effect/platform-node"
import { WorkerError } from "@effect/platform/WorkerError"
import { Deferred, Duration, Effect, type Scope } from "effect"
import type { VerifySlice } from "./VerifierMessage.ts"

/**
 * A thread that runs `entry` (`VerifierWorker`), ready to work. Fails as soon as it dies, and after `startLimit`. It
 * ends with the scope: at once when it is idle, within `endLimitMs` when it is not.
 */
export const startThread = (
  entry: URL,
  startLimit: Duration.Duration
): Effect.Effect<Worker.SerializedWorker<VerifySlice>, WorkerError, Scope.Scope> =>
  Effect.gen(function* () {
    const died = yield* Deferred.make<never, WorkerError>()
    const threads = new Set<Thread>()
    const spawn = () => {
      const thread = new Thread(entry, { name: "dasmon verifier" })
      thread.once("error", (cause) => Deferred.unsafeDone(died, new WorkerError({ reason: "spawn", cause })))
      thread.once("exit", (code) => {
        threads.delete(thread)
        Deferred.unsafeDone(died, threadError(`it exited with code ${code}`))
      })
      threads.add(thread)
      return thread
    }
    const worker = yield* Worker.makeSerialized<VerifySlice>({}).pipe(
      Effect.provide(NodeWorker.layer(spawn)),
      Effect.raceFirst(Deferred.await(died)),
      Effect.timeoutFail({
        duration: startLimit,
        onTimeout: () => threadError(`it was not ready within ${Duration.format(startLimit)}`)
      })
    )
    // Runs before the platform's own finalizer, which asks the thread to end and waits for it.
    yield* Effect.addFinalizer(() => Effect.sync(() => threads.forEach(endSoon)))
    return worker
  })

/** The platform would wait for 5 s, longer than the whole program may take to stop. */
const endLimitMs = 1_000

const endSoon = (thread: Thread): void => {
  const timer = setTimeout(() => void thread.terminate(), endLimitMs)
  thread.once("exit", () => clearTimeout(timer))
  timer.unref()
}

const threadError = (text: string): WorkerError => new WorkerError({ reason: "spawn", cause: new Error(text) })
