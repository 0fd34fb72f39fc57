import { Duration, Effect, Either, Option, Schema } from "effect"
import type { PeerId } from "../../domain/Primitives.ts"
import type { BeaconFailure } from "./BeaconFailure.ts"
import { makeBeaconHttp } from "./BeaconHttp.ts"
import { maybeJson } from "./BeaconJson.ts"
import { ListedPeer } from "./ListedPeer.ts"

const PeerResponse = Schema.Struct({ data: ListedPeer })

/**
 * Asks beacon nodes, one after the other, for one of their own peers (`/eth/v1/node/peers/{id}`), through an HTTP client
 * that lives as long. Fails when none knows the peer and one cannot be asked.
 */
export const makeFindPeer = (options: {
  readonly urls: ReadonlyArray<string>
  readonly timeout?: Duration.DurationInput
}) =>
  Effect.map(
    Effect.forEach(options.urls, (url) =>
      makeBeaconHttp({ url, timeout: Duration.decode(options.timeout ?? "5 seconds"), concurrency: 2 })
    ),
    (nodes) =>
      (peerId: PeerId): Effect.Effect<Option.Option<ListedPeer>, BeaconFailure> =>
        Effect.gen(function* () {
          let failure: BeaconFailure | undefined
          for (const http of nodes) {
            const path = `/eth/v1/node/peers/${encodeURIComponent(peerId)}`
            const listed = yield* Effect.either(maybeJson(http, path, PeerResponse))
            if (Either.isLeft(listed)) failure = listed.left
            else if (Option.isSome(listed.right)) return Option.some(listed.right.value.data)
          }
          return failure === undefined ? Option.none() : yield* failure
        })
  )
