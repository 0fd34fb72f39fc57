import { Effect } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Lives on another network: its fork digest is another one, and so it says Goodbye after Status. */
export const wrongNetwork: Profile = {
  ...honest,
  depart: (_, { random }) =>
    Effect.sync(() => {
      const forkDigest = toHex(random.bytes(4))
      return {
        status: (status) => ({ ...status, forkDigest }),
        stored: Effect.succeed(() => false)
      }
    })
}
