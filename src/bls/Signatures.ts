import { Context, Data, Effect } from "effect"
import { holds, type Signed } from "./Bls.ts"

/** Nobody could say whether a signature holds. */
export class SignaturesError extends Data.TaggedError("SignaturesError")<{ readonly reason: string }> {}

/**
 * Whether signatures hold. Each takes 30 ms and more: in the calling thread, which stands still meanwhile, unless worker
 * threads are provided (`WorkerSignatures.layer`).
 */
export class Signatures extends Context.Reference<Signatures>()("dasmon/Signatures", {
  defaultValue: (): { readonly hold: (signed: Signed) => Effect.Effect<boolean, SignaturesError> } => ({
    hold: (signed) => Effect.sync(() => holds(signed))
  })
}) {}
