import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, type Queue, Schedule, Stream } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { type ChainParameters, epochOf, epochStart } from "../../domain/network/Chain.ts"
import { blockAtOrBefore, type ChainState } from "../chain/ChainState.ts"
import type { DevBlock } from "../chain/DevBlock.ts"
import type { DevChain, DevChainEvent } from "../chain/DevChain.ts"
import { badRequest, get } from "./Endpoint.ts"
import type { Habits, Message } from "./Habits.ts"

/** `/eth/v1/events`: server-sent events of the topics that are asked for, with comments that keep the connection alive. */
export const eventRoutes = (chain: DevChain, habits: Habits) => [
  get("/eth/v1/events", (request) =>
    Effect.gen(function* () {
      const asked = request.query("topics").flatMap((value) => value.split(","))
      const unknown = asked.find((topic) => !habits.topics.has(topic))
      if (asked.length === 0) return yield* badRequest("no topics are given")
      if (unknown !== undefined) return yield* badRequest(`there is no topic ${JSON.stringify(unknown)}`)
      const messages = (queue: Queue.Dequeue<DevChainEvent>) =>
        Stream.fromQueue(queue).pipe(
          Stream.mapConcatEffect((event) =>
            Effect.map(chain.state, (state) => sseMessagesOf(chain.parameters, state, event))
          ),
          Stream.filter((message) => asked.includes(message.topic)),
          Stream.zipWithIndex,
          Stream.mapConcat(([message, index]) => habits.tell(message, index)),
          Stream.map((message) => `event: ${message.topic}\ndata: ${JSON.stringify(message.data)}\n\n`)
        )
      // The first comment says that from now on no event is missed.
      const comments = habits.isSlowToGreet
        ? Stream.never
        : Stream.repeatEffectWithSchedule(Effect.succeed(":\n\n"), Schedule.spaced(keepAlive))
      const body = Effect.map(chain.events, (queue) =>
        Stream.merge(comments, messages(queue), { haltStrategy: "right" })
      ).pipe(Stream.unwrapScoped, Stream.encodeText)
      return HttpServerResponse.stream(body, {
        contentType: "text/event-stream",
        headers: { "cache-control": "no-cache" }
      })
    })
  )
]

const keepAlive = "5 seconds"

const sseMessagesOf = (
  parameters: ChainParameters,
  state: ChainState,
  event: DevChainEvent
): ReadonlyArray<Message> => {
  switch (event._tag) {
    case "Block":
      return [{ topic: "block", data: { slot: String(event.block.slot), block: event.block.root, ...optimistic } }]
    case "Head": {
      const { block, epochTransition } = event
      const dependent = (back: number) => dependentRoot(parameters, state, block, back)
      const head = {
        slot: String(block.slot),
        block: block.root,
        state: stateRoot(block),
        epoch_transition: epochTransition,
        ...optimistic
      }
      return [
        {
          topic: "head",
          data: { ...head, previous_duty_dependent_root: dependent(1), current_duty_dependent_root: dependent(0) }
        },
        {
          topic: "head_v2",
          data: {
            version: block.fork,
            data: {
              ...head,
              payload_status: "full",
              current_epoch_dependent_root: dependent(1),
              next_epoch_dependent_root: dependent(0)
            }
          }
        }
      ]
    }
    case "Finalized":
      return [
        {
          topic: "finalized_checkpoint",
          data: {
            block: event.block.root,
            state: stateRoot(event.block),
            epoch: String(event.checkpoint.epoch),
            ...optimistic
          }
        }
      ]
    case "Reorg": {
      const { depth, newHead, oldHead } = event.reorg
      return [
        {
          topic: "chain_reorg",
          data: {
            slot: String(newHead.slot),
            depth: String(depth),
            old_head_block: oldHead.root,
            new_head_block: newHead.root,
            old_head_state: stateRoot(oldHead),
            new_head_state: stateRoot(newHead),
            epoch: String(epochOf(parameters, newHead.slot)),
            ...optimistic
          }
        }
      ]
    }
  }
}

const optimistic = { execution_optimistic: false }

const stateRoot = (block: DevBlock): string => toHex(block.header.message.stateRoot)

/** The last block before the epoch that lies `back` epochs before that of `block`: what its duties hang on. */
const dependentRoot = (parameters: ChainParameters, state: ChainState, block: DevBlock, back: number): string =>
  blockAtOrBefore(state, Math.max(epochStart(parameters, epochOf(parameters, block.slot) - back) - 1, 0)).root
