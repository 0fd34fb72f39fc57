import { Schema } from "effect"
import { peerList } from "./PeerList.ts"
import { expected } from "./Show.ts"
import { optional } from "./Values.ts"

/** What is done by the scores of peers, beside choosing. */
export const ScoringConfig = Schema.Struct({
  /**
   * Peers whose score falls below this are sent away, and stay away for a while. Left out, nobody is: a monitor has to keep
   * looking at bad peers.
   */
  disconnectBelow: optional(
    Schema.Number.pipe(Schema.finite(), Schema.between(0, 1)).annotations(
      expected("a score from 0 to 1: who is below it is sent away (0.5 is neutral, 0.2 is bad)")
    )
  )
})

const mostProviders = 64

/** Peers that are relied on. */
export const DasProviders = peerList("das_providers").pipe(
  Schema.filter((peers) => peers.length <= mostProviders || `at most ${mostProviders}, got ${peers.length}`)
)
