import { Effect, Stream } from "effect"

/** SIGHUP, each time that it comes. It does not end the process while someone listens. */
export const hangUps: Stream.Stream<void> = Stream.asyncPush<void>(
  (emit) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const listener = () => void emit.single(undefined)
        process.on("SIGHUP", listener)
        return listener
      }),
      (listener) => Effect.sync(() => process.off("SIGHUP", listener))
    ),
  { bufferSize: 1, strategy: "sliding" }
)
