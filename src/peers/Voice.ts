import { Effect, Ref } from "effect"
import { EventBus } from "../events/EventBus.ts"
import type { PeerEntry } from "./PeerEntry.ts"
import { type PeerState, verdict, viewOf } from "./PeerState.ts"

/** How what happens to a peer changes its state, and is told. */
export interface Voice {
  readonly track: (change: "connected" | "failed" | "verdict", detail: string) => Effect.Effect<void>
  /** Changes the state, and tells the world if the verdict changed with it. */
  readonly update: (change: (state: PeerState) => PeerState) => Effect.Effect<void>
}

export const makeVoice = (entry: PeerEntry): Effect.Effect<Voice, never, EventBus> =>
  Effect.map(EventBus, (bus) => {
    const { peerId } = entry.address
    const track: Voice["track"] = (change, detail) =>
      Effect.flatMap(Ref.get(entry.state), (state) =>
        bus.publish({ _tag: "NodeTracking", peerId, change, detail, peer: viewOf(state) })
      )
    return {
      track,
      update: (change) =>
        Effect.gen(function* () {
          const before = verdict(yield* Ref.get(entry.state))
          const after = yield* Ref.updateAndGet(entry.state, change)
          if (verdict(after) === before) return
          yield* track(
            "verdict",
            `${before} → ${verdict(after)}${after.lastFailure === null ? "" : `: ${after.lastFailure}`}`
          )
        })
    }
  })
