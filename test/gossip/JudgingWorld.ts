import { Effect, Fiber, Layer, Metric, type MetricState, Option, TestClock } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { proposerOf, validatorCount, validatorKey } from "../../src/devnet/chain/Validators.ts"
import { gossipRuleNames } from "../../src/domain/gossip/GossipRule.ts"
import { gossipRulings } from "../../src/domain/metrics/Metrics.ts"
import type { SlotFacts } from "../../src/domain/network/Block.ts"
import { epochStart, slotStart } from "../../src/domain/network/Chain.ts"
import type { ColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { blockAtOrBefore } from "../../src/devnet/chain/ChainState.ts"
import { makeJudgeColumn, type RejectedColumn } from "../../src/gossip/JudgeColumn.ts"
import { makeJudgeHeader } from "../../src/gossip/JudgeHeader.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { GossipTruth } from "../../src/host/GossipTruth.ts"
import { type SidecarVerdict, Verifier, VerifierError } from "../../src/kzg/Verifier.ts"
import type { AcceptedColumn, ColumnPlace } from "../../src/arrival/ColumnArrivals.ts"
import { canonical, type fulu, seed } from "./Columns.ts"

/** What the beacon node and the verifier say; to be changed. */
export interface World {
  /** The slot of the newest block that the node has imported. */
  head: number
  /** Whether the node answers at all. */
  isThere: boolean
  finalizedEpoch: number
  /** Instead of what the chain has. */
  fact: SlotFacts | undefined
  /** None where no thread can be had. */
  verdict: SidecarVerdict | undefined
  verified: number
  /** Questions that the node was asked about gossip. */
  asked: number
  readonly accepted: Array<AcceptedColumn>
  readonly rejected: Array<RejectedColumn>
  readonly unjudged: Array<ColumnPlace>
}

/** Near the start of the slot the node knows the blocks up to the one before. `truth`: whether the host gives GossipTruth. */
export const makeJudging = (chain: typeof fulu, slot: number, truth = true) =>
  Effect.gen(function* () {
    const { parameters, state } = chain
    yield* TestClock.setTime(slotStart(parameters, slot) + 100)
    const world: World = {
      head: slot - 1,
      isThere: true,
      finalizedEpoch: 2,
      fact: undefined,
      verdict: { _tag: "Valid" },
      verified: 0,
      asked: 0,
      accepted: [],
      rejected: [],
      unjudged: []
    }
    const ask = <A>(answer: () => A) =>
      Effect.suspend(() => {
        world.asked++
        return world.isThere
          ? Effect.succeed(answer())
          : Effect.fail(new ExternsError({ operation: "beacon node", reason: "unreachable" }))
      })
    const layer = Layer.mergeAll(
      Layer.mock(Externs, { chain: parameters }),
      Layer.mock(CommitmentCache, {
        columnSlots: () => 0,
        replacedSince: () => ({ seen: 0, blocks: [] }),
        orphan: () => Option.none(),
        headSlot: Effect.sync(() => world.head),
        finalized: Effect.sync(() => {
          const { root } = blockAtOrBefore(state, epochStart(parameters, world.finalizedEpoch))
          return Option.some({ epoch: world.finalizedEpoch, root })
        }),
        range: ({ start }) =>
          Effect.suspend(() => {
            if (!world.isThere) return new ExternsError({ operation: "blocks", reason: "unreachable" })
            const block = start <= world.head ? state.canonical.get(start) : undefined
            return Effect.succeed([
              world.fact ??
                (block === undefined
                  ? { _tag: "Empty" as const, slot: start }
                  : { _tag: "Block" as const, block: canonical(block) })
            ])
          })
      }),
      Layer.succeed(Verifier, {
        verify: () =>
          Effect.suspend(() => {
            world.verified++
            return world.verdict === undefined
              ? new VerifierError({ reason: "no thread" })
              : Effect.succeed([world.verdict])
          })
      }),
      truth
        ? Layer.succeed(
            GossipTruth,
            Option.some({
              block: (root) =>
                ask(() =>
                  Option.map(
                    Option.filter(Option.fromNullable(state.byRoot.get(root)), (block) => block.slot <= world.head),
                    (block) => {
                      const { parentRoot } = canonical(block)
                      return { slot: block.slot, root, parentRoot, isCanonical: true }
                    }
                  )
                ),
              proposers: (epoch) =>
                ask(() => {
                  const decidedAt = Math.max(0, epochStart(parameters, epoch - 1) - 1)
                  const slots = Array.from({ length: 32 }, (_, at) => epochStart(parameters, epoch) + at)
                  return {
                    epoch,
                    decidedAt,
                    dependentRoot: blockAtOrBefore(state, decidedAt).root,
                    bySlot: new Map(
                      slots.map((slot) => {
                        const index = proposerOf(seed, slot)
                        return [slot, { index, publicKey: validatorKey(seed, index) }]
                      })
                    )
                  }
                }),
              validatorKey: (index) =>
                ask(() => (index < validatorCount ? Option.some(validatorKey(seed, index)) : Option.none()))
            })
          )
        : Layer.empty
    )
    const judgeColumn = yield* Effect.provide(
      Effect.flatMap(makeJudgeHeader, (headers) =>
        makeJudgeColumn(headers, {
          examined: () => {},
          unjudged: ({ blockRoot, index, slot }) =>
            Effect.sync(() => void world.unjudged.push({ slot, blockRoot, column: index })),
          accepted: (column) => Effect.sync(() => void world.accepted.push(column)),
          rejected: (fault) => Effect.sync(() => void world.rejected.push(fault))
        })
      ),
      layer
    )
    const judge = (topic: ColumnTopic, data: Uint8Array, from = "a") => judgeColumn(topic, { data, from, id: "ab" })
    const decide = (topic: ColumnTopic, data: Uint8Array, from = "a") =>
      Effect.gen(function* () {
        const before = yield* counted
        const fiber = yield* Effect.fork(judge(topic, data, from))
        for (let waited = 0; waited < 80 && Option.isNone(yield* Fiber.poll(fiber)); waited++) {
          yield* TestClock.adjust("100 millis")
        }
        const verdict = yield* Fiber.join(fiber)
        const after = yield* counted
        return { verdict, rule: gossipRuleNames.find((rule) => (after.get(rule) ?? 0) > (before.get(rule) ?? 0)) }
      })
    return { world, judge, decide }
  })

/** How often each rule has decided. */
const counted = Effect.map(
  Effect.forEach(gossipRuleNames, (rule) =>
    Effect.map(
      Metric.value(gossipRulings.of({ rule })),
      (state: MetricState.MetricState.Counter<number>) => [rule, state.count] as const
    )
  ),
  (entries) => new Map(entries)
)
