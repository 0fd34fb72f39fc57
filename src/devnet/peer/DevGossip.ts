import { Effect, Queue, type Scope } from "effect"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { columnTopic, columnTopicsAt } from "../../domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import type { Node } from "../../wire/Node.ts"
import { type DevBlock, encodeSidecar, hasSidecars, sidecarOf } from "../chain/DevBlock.ts"
import type { Conduct, PeerContext } from "../profiles/Profile.ts"

/**
 * Gossip of a peer: it is on the topics of the columns that it claims, moves with the fork digest, and publishes its
 * columns of every new block to whoever is on their topics. It takes no messages in. All profiles are honest here.
 */
export const gossipColumns = (
  node: Pick<Node, "services">,
  { chain, nodeId }: PeerContext,
  conduct: Pick<Conduct, "claim">
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { gossip } = node.services
    const events = yield* chain.events
    const columns = Effect.map(conduct.claim, ({ custodyGroupCount }) => custodyColumns(nodeId, custodyGroupCount))

    const move = Effect.gen(function* () {
      const slot = yield* chain.currentSlot
      const wanted = new Set(columnTopicsAt(chain.parameters, yield* columns, slot).map(columnTopic))
      for (const topic of gossip.getTopics()) if (!wanted.has(topic)) gossip.unsubscribe(topic)
      for (const topic of wanted) gossip.subscribe(topic)
    })

    const publish = (block: DevBlock) =>
      Effect.flatMap(columns, (columns) =>
        Effect.forEach(
          columns.filter((column) => block.published.has(column)),
          (column) => {
            const topic = columnTopic({ forkDigest: forkDigestOfSlot(chain.parameters, block.slot), column })
            if (gossip.getSubscribers(topic).length === 0) return Effect.void
            return Effect.promise(() =>
              gossip.publish(topic, encodeSidecar(block.fork, sidecarOf(chain.pool, block, column)))
            )
          },
          { discard: true }
        )
      )

    yield* move
    yield* Queue.take(events).pipe(
      Effect.tap(() => move),
      Effect.flatMap((event) =>
        event._tag === "Block" && hasSidecars(event.block) ? publish(event.block) : Effect.void
      ),
      Effect.forever,
      Effect.forkScoped
    )
  })
