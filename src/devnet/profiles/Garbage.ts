import { Effect } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Starts as if a sidecar came, up to the identifier of the snappy frames, and goes on with random bytes. */
export const garbage: Profile = {
  ...honest,
  depart: (_, { random }) =>
    Effect.succeed({
      respond: ({ chunk, items, reply }) => {
        const [first] = items
        const start = first === undefined ? new Uint8Array(0) : chunk(first).subarray(0, plausible)
        return reply.raw(concatBytes([start, random.bytes(2048)]))
      }
    })
}

/** Result code, context bytes, two or three bytes of length, and the stream identifier. */
const plausible = 1 + 4 + 3 + 10
