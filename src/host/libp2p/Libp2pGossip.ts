import { type GossipSub, type SubscriptionChangeData, TopicValidatorResult } from "@libp2p/gossipsub"
import type { Libp2p, PeerId } from "@libp2p/interface"
import { Cause, Duration, Effect, FiberSet, Option, type Scope } from "effect"
import { makeBucket } from "../../domain/Bucket.ts"
import { parseColumnTopic } from "../../domain/network/ColumnTopic.ts"
import type { GossipRules } from "../../wire/gossip/GossipRules.ts"
import { makeGossipShares } from "./GossipShares.ts"
import { Gossip, type GossipMessage, type GossipVerdict, type Joining, NotPublished } from "../Gossip.ts"
import { messageOf } from "../../domain/Text.ts"
import { forget } from "../../wire/gossip/Forgettable.ts"
import { hexMessageId } from "../../wire/gossip/MessageId.ts"

/** The topics that a node is on; made before the node, which goes by them. */
export interface JoinedTopics {
  readonly rules: GossipRules
  readonly topics: Map<string, Joining>
}

export const makeJoinedTopics = (): JoinedTopics => {
  const topics = new Map<string, Joining>()
  const allowance = makeBucket({ burst: mostAtOnce, perSecond: mostPerSecond })
  const shares = makeGossipShares()
  return {
    topics,
    rules: {
      mostBytes: (topic) => {
        const joined = topics.get(topic)
        const now = performance.now()
        if (joined === undefined) return 0
        if (allowance.room(now) < 1) {
          joined.dropped?.(Option.none())
          return 0
        }
        allowance.take(1, now)
        return joined.mostBytes
      },
      admits: (from, messages) => shares(from, messages, performance.now()),
      copied: (topic, id) => topics.get(topic)?.copied?.(id)
    }
  }
}

/** What is used of a libp2p node. */
export type GossipingNode = Pick<Libp2p, "addEventListener" | "removeEventListener"> & {
  readonly services: { readonly gossip: GossipSub }
}

/** The gossip of a node that was made with these topics' rules. When the scope closes, it is on no topic any more. */
export const makeGossip = Effect.fnUntraced(function* (
  node: GossipingNode,
  { topics }: JoinedTopics
): Effect.fn.Return<Gossip["Type"], never, Scope.Scope> {
  const { gossip } = node.services
  const subscriptions = yield* watchSubscriptions(node)
  const run = yield* FiberSet.makeRuntimePromise<never, TopicValidatorResult, never>()
  /** Messages that are being judged, by whoever sent them. */
  const judging = new Map<string, number>()
  let underWay = 0

  /** Where too many wait already, one more is not looked at: its next copy is. */
  const judge = (joining: Joining, message: GossipMessage) => {
    const { from } = message
    const own = judging.get(from) ?? 0
    const fair = underWay < mostJudged / 2 ? mostJudgedOfPeer : mostJudgedOfPeer / 8
    if (underWay >= mostJudged || own >= fair) {
      joining.dropped?.(Option.some(message.data))
      forget(gossip, message.id)
      return TopicValidatorResult.Ignore
    }
    underWay++
    judging.set(from, own + 1)
    const done = Effect.sync(() => {
      underWay--
      const left = (judging.get(from) ?? 1) - 1
      if (left === 0) judging.delete(from)
      else judging.set(from, left)
    })
    return run(
      joining.judge(message).pipe(
        Effect.timeoutTo({
          duration: judgeLimit,
          onSuccess: (verdict) => verdict,
          onTimeout: () => "unjudged" as const
        }),
        Effect.catchAllCause((cause) =>
          Effect.as(
            // At the end, what a judge goes by may go before it.
            Cause.isInterruptedOnly(cause)
              ? Effect.void
              : Effect.logError("a gossip message could not be judged: this is a bug in dasmon", cause),
            "ignore" as const
          )
        ),
        Effect.tap((verdict) => (verdict === "unjudged" ? Effect.sync(() => forget(gossip, message.id)) : Effect.void)),
        Effect.map((verdict) => results[verdict]),
        Effect.ensuring(done)
      )
    )
  }

  const join = (topic: string, joining: Joining) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        if (topics.size >= mostTopics)
          return Effect.logError(`not joined: ${topic}, since ${mostTopics} topics are enough`)
        topics.set(topic, joining)
        gossip.topicValidators.set(topic, (from, { data }) =>
          judge(joining, { from: from.toString(), data, id: hexMessageId(topic, data) })
        )
        gossip.subscribe(topic)
        return Effect.void
      }),
      () =>
        Effect.sync(() => {
          if (topics.get(topic) !== joining) return
          topics.delete(topic)
          if (gossip.getTopics().includes(topic)) gossip.unsubscribe(topic)
          gossip.topicValidators.delete(topic)
        })
    )

  const publish = (topic: string, data: Uint8Array) =>
    Effect.tryPromise({
      try: () => gossip.publish(topic, data),
      catch: (error) => new NotPublished({ topic, reason: messageOf(error) })
    }).pipe(Effect.map(({ recipients }) => recipients.length))

  return Gossip.of({
    join: (topic, joining) => Effect.asVoid(join(topic, joining)),
    publish,
    columnTopicsOf: subscriptions
  })
})

/** Follows what peers say that they are on. */
const watchSubscriptions = (
  node: GossipingNode
): Effect.Effect<(peerId: string) => ReadonlyArray<string>, never, Scope.Scope> => {
  const known = new Map<string, Set<string>>()
  const onChange = ({ detail }: CustomEvent<SubscriptionChangeData>): void => {
    const peerId = detail.peerId.toString()
    const topics = known.get(peerId) ?? new Set<string>()
    for (const { subscribe, topic } of detail.subscriptions) {
      if (!subscribe) topics.delete(topic)
      else if (topics.size < mostColumnTopics && Option.isSome(parseColumnTopic(topic))) topics.add(topic)
    }
    known.set(peerId, topics)
  }
  const onLeave = ({ detail }: CustomEvent<PeerId>): void => void known.delete(detail.toString())
  return Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => {
        node.services.gossip.addEventListener("subscription-change", onChange)
        node.addEventListener("peer:disconnect", onLeave)
      }),
      () =>
        Effect.sync(() => {
          node.services.gossip.removeEventListener("subscription-change", onChange)
          node.removeEventListener("peer:disconnect", onLeave)
        })
    ),
    (peerId) => [...(known.get(peerId) ?? [])]
  )
}

/** Teku takes 200 in one message, which is how all of ours are sent to whoever connects. */
const mostTopics = 200
/** All columns under two fork digests. */
const mostColumnTopics = 256
/**
 * Copies are not among them, but one in another compression is. What is remembered of messages, for 768 s, stays bounded by
 * it whatever strangers send: all columns of a block every second would be half of it.
 */
const mostPerSecond = 256
/** Eight blocks' columns at once. */
const mostAtOnce = 1024
/** All columns of four blocks, 23 MB at 21 blobs; from half of that on nobody may have more than 24 of them. */
const mostJudged = 512
/** Who is first with a block may be so with all of its columns. */
const mostJudgedOfPeer = 192
const judgeLimit = Duration.seconds(8)

const results = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  unjudged: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject
} satisfies Record<GossipVerdict, TopicValidatorResult>
