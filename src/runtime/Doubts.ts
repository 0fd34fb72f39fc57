import { Context, Effect, Layer, Metric, Option } from "effect"
import { type DoubtKind, doubtKinds, forbidding, sparingBlocks } from "../domain/Doubt.ts"
import { doubts } from "../domain/metrics/Metrics.ts"

/**
 * Why the monitor of one program does not trust itself at this moment: `Status.doubts`, and `/readyz` says 503 with
 * them. Where a host provides none (`Doubts.layer`), each engine keeps an account of its own, and what the host's own
 * parts doubt is not seen by it.
 */
export class Doubts extends Context.Reference<Doubts>()("dasmon/Doubts", { defaultValue: () => unregistered }) {
  /** An account that is shared by everything that is built over it. */
  static readonly layer = Layer.sync(Doubts, () => makeDoubts())
  /** An account of one's own, unless someone around it keeps one already. */
  static readonly layerUnlessShared = Layer.effect(
    Doubts,
    Effect.map(Doubts, (shared) => (shared === unregistered ? makeDoubts() : shared))
  )
}

export interface DoubtAccount {
  /**
   * The sentence of this kind from now on; none ends the doubt. It says what is wrong and what to do, without addresses
   * and paths: `/readyz` tells everyone. Whoever sets it keeps it from coming and going every few seconds: its begin is
   * logged as a warning, with the annotations of the caller, and its end; another sentence meanwhile is not. Where
   * several can tell, each of them is a `witness` of its own, and the doubt ends when none of them has it any more.
   */
  readonly set: (kind: DoubtKind, sentence: Option.Option<string>, witness?: string) => Effect.Effect<void>
  /** The sentences of this moment, in the order of `doubtKinds`. */
  readonly all: Effect.Effect<ReadonlyArray<string>>
  /** The first sentence of those kinds under which nobody may be judged or sent away (`forbidding`). */
  readonly forbids: Effect.Effect<Option.Option<string>>
  /** The first sentence of those kinds under which no block may be called unavailable (`sparingBlocks`). */
  readonly sparesBlocks: Effect.Effect<Option.Option<string>>
}

const makeDoubts = (): DoubtAccount => {
  const witnesses = new Map(doubtKinds.map((kind) => [kind, new Map<string, string>()]))
  const sentenceOf = (kind: DoubtKind): string | undefined => witnesses.get(kind)?.values().next().value
  const show = (kind: DoubtKind, value: number) => Metric.set(doubts.of({ kind }), value)
  const sentences = (kinds: ReadonlyArray<DoubtKind>) => kinds.flatMap((kind) => sentenceOf(kind) ?? [])
  return {
    set: (kind, sentence, witness = "") =>
      Effect.suspend(() => {
        const before = sentenceOf(kind)
        if (Option.isSome(sentence)) witnesses.get(kind)?.set(witness, sentence.value)
        else witnesses.get(kind)?.delete(witness)
        const after = sentenceOf(kind)
        if (before === undefined && after !== undefined) {
          return Effect.zipRight(show(kind, 1), Effect.logWarning(`in doubt: ${after}`))
        }
        return before === undefined || after !== undefined
          ? Effect.void
          : Effect.zipRight(show(kind, 0), Effect.logInfo(`no longer in doubt: ${before}`))
      }),
    all: Effect.sync(() => sentences(doubtKinds)),
    forbids: Effect.sync(() => Option.fromNullable(sentences(forbidding)[0])),
    sparesBlocks: Effect.sync(() => Option.fromNullable(sentences(sparingBlocks)[0]))
  }
}

const unregistered: DoubtAccount = {
  set: () => Effect.void,
  all: Effect.succeed([]),
  forbids: Effect.succeedNone,
  sparesBlocks: Effect.succeedNone
}
