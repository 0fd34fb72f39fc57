import { Duration, Effect, Layer, Option } from "effect"
import { KzgThreads } from "../kzg/KzgThreads.ts"
import { CheckSignature } from "./SignatureMessage.ts"
import { Signatures, SignaturesError } from "./Signatures.ts"

/** Checks signatures in the worker threads that there are, when nobody else waits for one. */
export const layer: Layer.Layer<Signatures, never, KzgThreads> = Layer.effect(
  Signatures,
  Effect.map(KzgThreads, (threads) => ({
    hold: ({ publicKey, signature, signingRoot }) =>
      threads
        .lastInTurn(
          threads.run((thread) =>
            // Copies: what is sent takes the whole buffer along that it is a part of.
            thread.executeEffect(
              new CheckSignature({
                publicKey: publicKey.slice(),
                signingRoot: signingRoot.slice(),
                signature: signature.slice()
              })
            )
          ),
          turnLimit
        )
        .pipe(
          Effect.mapError(({ reason }) => new SignaturesError({ reason })),
          Effect.flatMap(
            Option.match({
              onSome: Effect.succeed,
              onNone: () => new SignaturesError({ reason: `no thread was free within ${Duration.format(turnLimit)}` })
            })
          )
        )
  }))
)

const turnLimit = Duration.seconds(4)
