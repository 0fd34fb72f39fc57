import { Context, Effect, Either, Queue, Stream } from "effect"
import type { GivenPeer } from "../../domain/peer/GivenPeer.ts"
import { oneLine, printable } from "../../domain/Text.ts"
import { makeYielder } from "../../runtime/YieldNow.ts"
import type { NodeFound } from "../Discovery.ts"
import { readNode } from "../ReadNode.ts"

/** Takes peers while the monitor runs: `POST /peers`. Where nobody takes them, each is answered so. */
export class GivenPeers extends Context.Reference<GivenPeers>()("dasmon/GivenPeers", {
  defaultValue: (): PeerTaker => nobody
}) {}

export interface PeerTaker {
  /** ENRs, or multiaddrs that end in `/p2p/…`; an answer for each, in the same order. */
  readonly give: (peers: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<GivenPeer>>
}

/** Takes them for whoever listens to `found`, and holds as many as 1,024 for it; others are refused. */
export const makeGivenPeers: Effect.Effect<PeerTaker & { readonly found: Stream.Stream<NodeFound> }> = Effect.map(
  Queue.dropping<NodeFound>(1_024),
  (waiting) => ({
    found: Stream.fromQueue(waiting),
    give: (peers) => {
      const yieldIfDue = makeYielder(5)
      return Effect.forEach(peers, (text) =>
        // Each signature that is checked costs a millisecond.
        Effect.flatMap(yieldIfDue, () =>
          Either.match(readNode(text, "api"), {
            onLeft: (error) => Effect.succeed(refused(text, oneLine(error.message))),
            onRight: (node) =>
              Effect.map(Queue.offer(waiting, node), (isTaken) =>
                isTaken
                  ? { peer: shown(text), accepted: true, peerId: node.address.peerId, reason: null }
                  : refused(text, "too many wait to be taken up: send it again in a moment")
              )
          })
        )
      )
    }
  })
)

const refused = (text: string, reason: string): GivenPeer => ({
  peer: shown(text),
  accepted: false,
  peerId: null,
  reason: printable(reason, 300)
})

const shown = (text: string): string => printable(text.trim(), 100)

const nobody: PeerTaker = {
  give: (peers) =>
    Effect.succeed(peers.map((text) => refused(text, "this monitor takes no peers: its host says whom it watches")))
}
