import type { HttpServerResponse } from "@effect/platform"
import { Duration, Effect, Either, type Option, Ref } from "effect"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { blockAtOrBefore, type ChainState, finalizedBlock, isCanonical } from "../chain/ChainState.ts"
import type { DevBlock } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { ApiHabit } from "./ApiHabit.ts"
import { findBlock } from "./BlockId.ts"
import { EndpointError, errorResponse, notFound } from "./Endpoint.ts"

/** A server-sent event. */
export interface Message {
  readonly topic: string
  readonly data: Readonly<Record<string, string | boolean | Readonly<Record<string, string | boolean>>>>
}

/** Where a node departs from the book. */
export interface Habits {
  /** The block that an id names, as this node tells it. */
  readonly find: (state: ChainState, id: string) => Effect.Effect<DevBlock, EndpointError>
  /** Whether the node has the block at all. */
  readonly knows: (block: DevBlock) => boolean
  /** What the node says of how far it is. */
  readonly isSyncing: boolean
  readonly isOptimistic: boolean
  /** The root of a checkpoint's block, as this node tells it. */
  readonly checkpointRoot: (root: string) => string
  /** What comes in place of an answer, by turns. */
  readonly trouble: Effect.Effect<Option.Option<HttpServerResponse.HttpServerResponse>>
  /** The events that can be asked for; a subscription with any other is refused. */
  readonly topics: ReadonlySet<string>
  /** Whether the head of the event stream waits for the first event. */
  readonly isSlowToGreet: boolean
  /** What is sent for an event, the `count`-th of its stream. */
  readonly tell: (message: Message, count: number) => ReadonlyArray<Message>
  /** What the node does after `POST /devnet/restart`. */
  readonly restart: Effect.Effect<void>
}

export const makeHabits = (name: ApiHabit, chain: DevChain): Effect.Effect<Habits> => {
  switch (name) {
    case "plain":
      return Effect.succeed(byTheBook(chain.parameters))
    case "like-lodestar":
      return Effect.succeed({ ...byTheBook(chain.parameters), topics: olderTopics, isSlowToGreet: true })
    case "like-prysm":
      return likePrysm(chain)
    case "checkpoint":
      return fromCheckpoint(chain)
    case "errors":
      return inTrouble(chain.parameters)
    case "syncing":
      return Effect.succeed({ ...byTheBook(chain.parameters), isSyncing: true })
    case "optimistic":
      return Effect.succeed({ ...byTheBook(chain.parameters), isOptimistic: true })
    case "forked":
      return Effect.succeed({ ...byTheBook(chain.parameters), checkpointRoot: otherRoot })
  }
}

const olderTopics: ReadonlySet<string> = new Set(["head", "block", "finalized_checkpoint", "chain_reorg"])

const byTheBook = (parameters: ChainParameters): Habits => ({
  find: (state, id) => findBlock(parameters, state, id),
  knows: () => true,
  isSyncing: false,
  isOptimistic: false,
  checkpointRoot: (root) => root,
  trouble: Effect.succeedNone,
  topics: new Set([...olderTopics, "head_v2"]),
  isSlowToGreet: false,
  tell: (message) => [message],
  restart: Effect.void
})

/** Slots for which a node that was restarted takes orphans for blocks of its chain. */
const slotsOfConfusion = 8

/** Answers 500 for an empty slot, and takes orphans for canonical for a while after a restart. */
const likePrysm = (chain: DevChain): Effect.Effect<Habits> =>
  Effect.map(Ref.make(-1), (confusedUntil) => {
    const orphanAt = (state: ChainState, slot: number) =>
      [...state.byRoot.values()].find((block) => block.slot === slot && !isCanonical(state, block))
    return {
      ...byTheBook(chain.parameters),
      topics: olderTopics,
      find: Effect.fnUntraced(function* (state, id) {
        const slot = slotOf(id)
        const orphan = slot !== undefined && state.slot <= (yield* confusedUntil) ? orphanAt(state, slot) : undefined
        if (orphan !== undefined) return orphan
        return yield* slot === undefined || slot > state.slot || state.canonical.has(slot)
          ? findBlock(chain.parameters, state, id)
          : new EndpointError({ code: 500, reason: "could not retrieve block: could not snappy decode block" })
      }),
      restart: Effect.flatMap(chain.state, ({ slot }) => Ref.set(confusedUntil, slot + slotsOfConfusion))
    }
  })

/** Has nothing from before what was final when it started. */
const fromCheckpoint = (chain: DevChain): Effect.Effect<Habits> =>
  Effect.map(chain.state, (atStart) => {
    const anchor = finalizedBlock(chain.parameters, atStart).slot
    const knows = (block: DevBlock): boolean => block.slot >= anchor
    return {
      ...byTheBook(chain.parameters),
      knows,
      find: (state, id) =>
        Either.filterOrLeft(findBlock(chain.parameters, state, id), knows, () => notFound(`there is no block ${id}`))
    }
  })

/** One answer of so many is not given. */
const troubleEvery = 11
/** One trouble of so many is silence, which costs whoever asks as long as it waits. */
const silentEvery = 9
const silence = Duration.seconds(30)

/** Now and then fails, or is silent; answers an empty slot with the block before, and sends events that mean nothing. */
const inTrouble = (parameters: ChainParameters): Effect.Effect<Habits> =>
  Effect.map(Ref.make(0), (requests) => ({
    ...byTheBook(parameters),
    find: (state, id) => {
      const slot = slotOf(id)
      return slot === undefined || slot > state.slot
        ? findBlock(parameters, state, id)
        : Effect.succeed(blockAtOrBefore(state, slot))
    },
    trouble: Effect.flatMap(
      Ref.updateAndGet(requests, (count) => count + 1),
      (count) => (count % troubleEvery === 0 ? Effect.asSome(troubles(count / troubleEvery)) : Effect.succeedNone)
    ),
    tell: ({ data, topic }, count) => [
      ...(count % 3 === 2 ? [{ topic: "head", data: { slot: "unknown" } }] : []),
      ...(count % 5 === 4 && topic === "head" ? [reorgOfNoDepth(data)] : []),
      topic === "chain_reorg" ? { topic, data: { ...data, depth: underflow } } : { topic, data }
    ]
  }))

const troubles = (turn: number): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const failure = (code: number, reason: string) => errorResponse(new EndpointError({ code, reason }))
  if (turn % silentEvery === 0)
    return Effect.delay(Effect.succeed(failure(503, "there was no answer in time")), silence)
  return Effect.succeed(turn % 2 === 0 ? failure(503, "the node is busy") : failure(500, "internal error"))
}

/** 2^64-2, as it comes of a subtraction that went below zero. */
const underflow = "18446744073709551614"

const reorgOfNoDepth = ({ block = "", slot = "0", state = "" }: Message["data"]): Message => ({
  topic: "chain_reorg",
  data: {
    slot,
    depth: underflow,
    old_head_block: block,
    new_head_block: block,
    old_head_state: state,
    new_head_state: state,
    epoch: "0",
    execution_optimistic: false
  }
})

/** A root that no block of the devnet has: as long, and every digit another one. */
const otherRoot = (root: string): string =>
  `0x${root.slice(2).replaceAll(/[0-9a-f]/g, (digit) => (15 - parseInt(digit, 16)).toString(16))}`

const slotOf = (id: string): number | undefined => (/^[0-9]{1,15}$/.test(id) ? Number(id) : undefined)
