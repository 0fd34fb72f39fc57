import { Console, Effect, Schema } from "effect"
import { type DevnetOptions, makeDevnet } from "./Devnet.ts"
import type { DevnetError } from "./DevnetError.ts"

/** What a devnet in a process of its own says of itself: the one line on its standard output. */
export const DevnetAnnouncement = Schema.Struct({
  /** URL without a slash at its end. */
  beaconApi: Schema.String,
  network: Schema.String,
  slotDurationMs: Schema.Number,
  /** The ENR of the node by which discv5 finds all peers. */
  bootnode: Schema.String,
  peers: Schema.Array(
    Schema.Struct({
      profile: Schema.String,
      peerId: Schema.String,
      enr: Schema.String,
      multiaddr: Schema.String,
      agent: Schema.String
    })
  )
})
export type DevnetAnnouncement = typeof DevnetAnnouncement.Type

/** Runs a devnet until it is interrupted, having printed its announcement as one line of JSON. */
export const runDevnet = (options: DevnetOptions = {}): Effect.Effect<never, DevnetError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { beaconApi, bootEnr, parameters, peers } = yield* makeDevnet(options)
      const announcement = yield* Effect.orDie(
        Schema.encode(Schema.parseJson(DevnetAnnouncement))({
          beaconApi,
          network: parameters.network,
          slotDurationMs: parameters.slotDurationMs,
          bootnode: yield* bootEnr,
          peers: yield* Effect.forEach(peers, ({ agent, enr, multiaddr, peerId, profile }) =>
            Effect.map(enr, (enr) => ({ profile, peerId, enr, multiaddr, agent }))
          )
        })
      )
      yield* Console.log(announcement)
      return yield* Effect.never
    })
  )
