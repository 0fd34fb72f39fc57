import { Clock, Duration, Effect, FiberSet, Queue, type Scope } from "effect"
import type { TopicValidatorResult } from "@libp2p/gossipsub"
import { toHex } from "../../domain/Bytes.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import { sidecarBytes } from "../../domain/column/Sidecar.ts"
import { slotStart } from "../../domain/network/Chain.ts"
import { type ColumnTopic, columnTopic, columnTopicsAt } from "../../domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import type { GossipRules } from "../../wire/gossip/GossipRules.ts"
import type { Node } from "../../wire/Node.ts"
import { type DevBlock, encodeSidecar, hasSidecars, sidecarOf } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { Conduct, PeerContext, Push } from "../profiles/Profile.ts"
import { reachesAt } from "./GossipTimes.ts"
import type { TakenColumns } from "./TakenColumns.ts"

/** The topics that a peer is on, by name; made before the node, which goes by them. */
export interface DevTopics {
  readonly rules: GossipRules
  readonly joined: Map<string, ColumnTopic>
}

export const makeDevTopics = ({ pool }: DevChain): DevTopics => {
  const joined = new Map<string, ColumnTopic>()
  const mostBytes = sidecarBytes("fulu", pool.length)
  return { joined, rules: { mostBytes: (topic) => (joined.has(topic) ? mostBytes : 0), copied: () => {} } }
}

/**
 * Gossip of a peer. It is on the topics of the columns that it claims, moves with the fork digest, and pushes each column
 * of a new block at the moment at which it would have come to it (`GossipTimes`). What others send it is judged
 * (`TakenColumns`), and forwarded if it is right.
 *
 * The peers of a devnet are not connected with each other: they are of one process, each knows what the others would send
 * it, and to carry all that from one to the other would cost more than all else does. A guest sees one difference: what it
 * publishes itself reaches those that it is connected to, and no others.
 */
export const gossipColumns = (
  node: Pick<Node, "services">,
  { joined }: DevTopics,
  { chain, nodeId, taken }: PeerContext & { readonly taken: TakenColumns },
  conduct: Pick<Conduct, "claim" | "push">
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { gossip } = node.services
    const { parameters, pool, seed } = chain
    const { slotDurationMs } = parameters
    const place = toHex(nodeId)
    const events = yield* chain.events
    const run = yield* FiberSet.makeRuntime<never>()
    const judge = yield* FiberSet.makeRuntimePromise<never, TopicValidatorResult, never>()
    const columns = Effect.map(conduct.claim, ({ custodyGroupCount }) => custodyColumns(nodeId, custodyGroupCount))

    const move = Effect.gen(function* () {
      const topics = columnTopicsAt(parameters, yield* columns, yield* chain.currentSlot)
      const wanted = new Map(topics.map((topic) => [columnTopic(topic), topic]))
      for (const name of joined.keys()) {
        if (wanted.has(name)) continue
        joined.delete(name)
        gossip.unsubscribe(name)
        gossip.topicValidators.delete(name)
      }
      for (const [name, topic] of wanted) {
        if (joined.has(name)) continue
        joined.set(name, topic)
        gossip.topicValidators.set(name, (_from, { data }) => judge(taken.judge(topic, data)))
        gossip.subscribe(name)
      }
    })

    const topicOf = (block: DevBlock, column: number): string =>
      columnTopic({ forkDigest: forkDigestOfSlot(parameters, block.slot), column })
    const isHeard = (topic: string): boolean => gossip.getSubscribers(topic).length > 0

    const send = (block: DevBlock, { message, topic }: Push) =>
      Effect.suspend(() => {
        const name = topicOf(block, topic)
        return isHeard(name) ? Effect.promise(() => gossip.publish(name, message())) : Effect.void
      })

    /** One after the other; what a slow machine is late with goes out at once. */
    const pushAll = (block: DevBlock, columns: ReadonlyArray<number>) => {
      const usual = columns
        .filter((column) => block.published.has(column))
        .map((column) => ({
          topic: column,
          at: reachesAt(seed, block.slot, column, place),
          message: () => encodeSidecar(block.fork, sidecarOf(pool, block, column))
        }))
      const pushes = conduct.push(block, usual, (column) => isHeard(topicOf(block, column)))
      return Effect.forEach(
        pushes.toSorted((one, other) => one.at - other.at),
        (push) =>
          Effect.gen(function* () {
            const left = slotStart(parameters, block.slot) + push.at * slotDurationMs - (yield* Clock.currentTimeMillis)
            if (left > 0) yield* Effect.sleep(Duration.millis(left))
            yield* send(block, push)
          }),
        { discard: true }
      )
    }

    yield* move
    yield* Queue.take(events).pipe(
      Effect.tap(() => move),
      Effect.flatMap((event) =>
        event._tag === "Block" && hasSidecars(event.block)
          ? Effect.map(columns, (columns) => void run(pushAll(event.block, columns)))
          : Effect.void
      ),
      Effect.forever,
      Effect.forkScoped
    )
  })
