import { Worker as NodeThread } from "node:worker_threads"
import type { Worker } from "@effect/platform"
import * as NodeWorker from "@effect/platform-node/NodeWorker"
import { WorkerError } from "@effect/platform/WorkerError"
import { Deferred, Duration, Effect, type Scope } from "effect"

export interface ThreadOptions {
  /** The built module that the thread runs. */
  readonly entry: URL
  /** What debuggers show. */
  readonly name: string
  /** Fails when the thread is not ready by then. */
  readonly startLimit: Duration.Duration
  /** Its `workerData`. */
  readonly data?: unknown
}

/**
 * A worker thread, ready to work. Whatever `make` gives fails as soon as the thread dies. The thread ends with the
 * scope: at once when it is idle, within `endLimitMs` when it is not.
 */
export const startThread = <A>(
  make: Effect.Effect<A, WorkerError, Worker.WorkerManager | Worker.Spawner | Scope.Scope>,
  { data, entry, name, startLimit }: ThreadOptions
): Effect.Effect<A, WorkerError, Scope.Scope> =>
  Effect.gen(function* () {
    const died = yield* Deferred.make<never, WorkerError>()
    const threads = new Set<NodeThread>()
    const spawn = () => {
      const thread = new NodeThread(entry, { name, workerData: data, resourceLimits })
      thread.once("error", (cause) => Deferred.unsafeDone(died, new WorkerError({ reason: "spawn", cause })))
      thread.once("exit", (code) => {
        threads.delete(thread)
        Deferred.unsafeDone(died, threadError(`it exited with code ${code}`))
      })
      threads.add(thread)
      return thread
    }
    const worker = yield* make.pipe(
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

/**
 * By default what is young may take 48 MiB a thread, and stays that large once there was much to do. What our threads work on
 * is outside of the heap: transferred bytes, SQLite's pages.
 */
const resourceLimits = { maxYoungGenerationSizeMb: 12 }

/** The platform would wait for 5 s, longer than the whole program may take to stop. */
const endLimitMs = 1_000

const endSoon = (thread: NodeThread): void => {
  const timer = setTimeout(() => void thread.terminate(), endLimitMs)
  thread.once("exit", () => clearTimeout(timer))
  timer.unref()
}

const threadError = (text: string): WorkerError => new WorkerError({ reason: "spawn", cause: new Error(text) })
