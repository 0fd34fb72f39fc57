import { WorkerError } from "@effect/platform/WorkerError"
import { Schema } from "effect"
import { VerifierError } from "../kzg/Verifier.ts"

/** One signature on its way to a thread; `Signed` (Bls.ts). */
export class CheckSignature extends Schema.TaggedRequest<CheckSignature>()("CheckSignature", {
  success: Schema.Boolean,
  // The platform passes its own failures through this schema too.
  failure: Schema.Union(VerifierError, WorkerError),
  payload: {
    publicKey: Schema.Uint8ArrayFromSelf,
    signingRoot: Schema.Uint8ArrayFromSelf,
    signature: Schema.Uint8ArrayFromSelf
  }
}) {}
