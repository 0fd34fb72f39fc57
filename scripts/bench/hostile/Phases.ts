import { Effect } from "effect"
import { identityFlood } from "../../crowd/IdentityFlood.ts"
import { idleSockets, isNewcomerHeard } from "../../crowd/IdleSockets.ts"
import { replays } from "../../crowd/Replays.ts"
import type { Crowd, Phase } from "./World.ts"

const nobody: Crowd = () => Effect.succeed(Effect.succeed({}))

/** With whom all others are compared. */
export const alone: Phase = { name: "alone", peers: [], crowd: nobody }

const bombs: Phase = { name: "memory bombs", peers: ["bomb:4"], crowd: nobody }

const sockets: Phase = {
  name: "idle sockets",
  peers: [],
  crowd: ({ port }) =>
    Effect.gen(function* () {
      const { counts } = yield* idleSockets(port, 400)
      return Effect.gen(function* () {
        const heard = yield* Effect.replicateEffect(isNewcomerHeard(port), newcomers, { concurrency: "unbounded" })
        return { ...(yield* counts), newcomers, heard: heard.filter(Boolean).length }
      })
    })
}

/** Who comes from another address while the sockets are open. */
const newcomers = 5

export const hostilePhases: ReadonlyArray<Phase> = [
  bombs,
  { name: "all-wrong cells", peers: ["all-wrong:6"], crowd: nobody },
  { name: "one column every nine seconds", peers: ["drip:7"], crowd: nobody },
  { name: "moving claims", peers: ["moving-claim:6", "restless:6"], crowd: nobody },
  {
    name: "identity floods",
    peers: [],
    crowd: ({ port }) =>
      Effect.map(identityFlood({ port, perSecond: 4, seconds: 15 }), ({ counts }) =>
        Effect.map(counts, (all) => ({ ...all }))
      )
  },
  sockets,
  {
    name: "replaying clients",
    peers: [],
    crowd: ({ url }) => Effect.map(replays(url, 20), ({ counts }) => Effect.map(counts, (all) => ({ ...all })))
  }
]

/** For a quick look: what begins at once. */
export const quickPhases: ReadonlyArray<Phase> = [bombs, sockets]
