import { existsSync } from "node:fs"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import * as Worker from "@effect/platform/Worker"
import { WorkerError } from "@effect/platform/WorkerError"
import { Array as Arr, Context, Duration, Effect, Layer, type Option, type ParseResult, Pool, type Scope } from "effect"
import type { CheckSignature } from "../bls/SignatureMessage.ts"
import { makeTurns } from "../runtime/Turns.ts"
import { startThread } from "../runtime/WorkerThread.ts"
import type { CheckBlob, RecoverRow } from "./RowMessage.ts"
import { VerifierError } from "./Verifier.ts"
import type { VerifyBatch } from "./VerifierMessage.ts"

export interface KzgThreadsOptions {
  /** Threads; one core is left to the event loop unless there is only one. */
  readonly size?: number
  /** For one message on its thread; a thread that takes longer is replaced. Default 15 s. */
  readonly batchLimit?: Duration.DurationInput
  /** For a thread to start and load the trusted setup. Default 60 s. */
  readonly startLimit?: Duration.DurationInput
  /** The built `KzgWorker.js`, when it is not beside this module. */
  readonly entry?: URL
}

/** A thread, as whoever has it asks it. */
export type KzgThread = Worker.SerializedWorker<VerifyBatch | RecoverRow | CheckBlob | CheckSignature>

/**
 * The worker threads that have the KZG library and its trusted setup, for all who verify or recover or check a signature, and the turns in which
 * they are given out. Whoever comes `last` gets one only while nobody else waits. A thread takes 40 to 50 MiB of memory, 10 of
 * them for the library and its setup; the rest is its Node (`npm run bench -- recovery`).
 */
export class KzgThreads extends Context.Tag("dasmon/KzgThreads")<
  KzgThreads,
  {
    readonly size: number
    /** Threads that those that come last have at a time: two at most, and one is left to the others if there are two. */
    readonly lastAtOnce: number
    /** Runs when its turn has come. */
    readonly inTurn: <A, E>(run: Effect.Effect<A, E>) => Effect.Effect<A, E>
    /**
     * The same when nobody else waits; none, and not run, where that takes longer than `within`. Of several, those
     * `isBehind` come after the others.
     */
    readonly lastInTurn: <A, E>(
      run: Effect.Effect<A, E>,
      within: Duration.Duration,
      isBehind?: boolean
    ) => Effect.Effect<Option.Option<A>, E>
    /**
     * Asks a thread, for whoever has the turn. One that dies or takes too long is replaced, and `use` tried so many times
     * more (default once); it has to make its message anew each time.
     */
    readonly run: <A>(
      use: (thread: KzgThread) => Effect.Effect<A, VerifierError | WorkerError | ParseResult.ParseError>,
      retries?: number
    ) => Effect.Effect<A, VerifierError>
  }
>() {
  /**
   * Threads that stand ready with the trusted setup when the layer is built, and end with its scope. Fails with
   * `VerifierError` when no thread can be started.
   */
  static readonly layer = (options: KzgThreadsOptions = {}): Layer.Layer<KzgThreads, VerifierError> =>
    Layer.scoped(KzgThreads, make(options))
}

const make = Effect.fnUntraced(function* (
  options: KzgThreadsOptions
): Effect.fn.Return<KzgThreads["Type"], VerifierError, Scope.Scope> {
  const entry = options.entry ?? new URL("./KzgWorker.js", import.meta.url)
  const size = Math.max(1, options.size ?? availableParallelism() - 1)
  const batchLimit = Duration.decode(options.batchLimit ?? "15 seconds")
  const startLimit = Duration.decode(options.startLimit ?? "60 seconds")
  if (entry.protocol === "file:" && !existsSync(fileURLToPath(entry))) {
    return yield* new VerifierError({ reason: `there is no ${fileURLToPath(entry)}: the program is not built` })
  }

  const start = startThread(Worker.makeSerialized<VerifyBatch | RecoverRow | CheckBlob | CheckSignature>({}), {
    entry,
    name: "dasmon kzg",
    startLimit
  })
  const pool = yield* Pool.make({ acquire: start, size })
  const lastAtOnce = Math.min(mostLast, Math.max(1, size - 1))
  const turns = makeTurns(size, { lastAtOnce })

  const tooLong = () => {
    const cause = new Error(`a batch took longer than ${Duration.format(batchLimit)}`)
    return new WorkerError({ reason: "unknown", cause })
  }
  const runOnce = <A>(
    use: (thread: KzgThread) => Effect.Effect<A, VerifierError | WorkerError | ParseResult.ParseError>
  ) =>
    Effect.scoped(
      Effect.flatMap(pool.get, (thread) =>
        use(thread).pipe(
          Effect.timeoutFail({ duration: batchLimit, onTimeout: tooLong }),
          Effect.tapErrorTag("WorkerError", () => pool.invalidate(thread))
        )
      )
    )

  // Every thread once, at the same time: each is warm before the first call.
  yield* Effect.scoped(Effect.all(Arr.replicate(pool.get, size), { concurrency: size, discard: true })).pipe(
    Effect.mapError(failed)
  )

  return {
    size,
    lastAtOnce,
    inTurn: (run) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.zipRight(turns.take(restore), Effect.ensuring(restore(run), turns.giveBack()))
      ),
    lastInTurn: (run, within, isBehind = false) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(turns.take(restore, { isLast: true, isBehind, within }), (isTaken) =>
          isTaken ? Effect.asSome(Effect.ensuring(restore(run), turns.giveBack(true))) : Effect.succeedNone
        )
      ),
    run: (use, retries = 1) =>
      Effect.mapError(
        Effect.retry(runOnce(use), { times: retries, while: (error) => error._tag === "WorkerError" }),
        failed
      )
  }
})

const failed = (error: VerifierError | WorkerError | ParseResult.ParseError): VerifierError => {
  if (error._tag === "VerifierError") return error
  const { cause, message } = error
  return new VerifierError({ reason: cause instanceof Error ? `${message}: ${cause.message}` : message })
}

/** Threads that recover at once. */
const mostLast = 2
