import { Clock, Duration, Effect, FiberSet, Option, Queue, Random } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { type BlockSampling, makeBlockSampling } from "../domain/availability/BlockSampling.ts"
import type { Assignment } from "../domain/availability/ChooseWitnesses.ts"
import type { Decision } from "../domain/availability/Decide.ts"
import { orderColumns } from "../domain/availability/OrderColumns.ts"
import type { SampleStage } from "../domain/availability/SampleCount.ts"
import type { SlotVerdict } from "../domain/availability/SlotVerdict.ts"
import { type Block, rootOf } from "../domain/network/Block.ts"
import { slotStart } from "../domain/network/Chain.ts"
import { Externs } from "../host/Externs.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { Peers } from "../peers/Peers.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { LoopLag, overloadLagMs } from "../runtime/LoopLag.ts"
import { uniform } from "../sampler/Uniform.ts"
import { makeCandidates } from "./Candidates.ts"
import type { SamplingTimes } from "./SamplingOptions.ts"

/** Samples one block, from the moment on at which it is to be, until it is decided or its time is over. */
export const makeSampleSlot = Effect.fnUntraced(function* (
  own: ReadonlySet<number>,
  stages: ReadonlyArray<SampleStage>
) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const doubts = yield* Doubts
  const lag = yield* LoopLag
  const matrix = yield* LiveMatrix
  const peers = yield* Peers
  const candidatesFor = yield* makeCandidates

  /** `begun` is told of the sampling, so that what others prove of the block meanwhile need not be asked for. */
  return Effect.fnUntraced(function* (
    block: Block,
    { deadline, sampleAt, settledAt }: SamplingTimes,
    begun: (sampling: BlockSampling) => void
  ) {
    const { root, slot } = block
    yield* sleepUntil(sampleAt)
    const startedAt = yield* Clock.currentTimeMillis
    const draw = uniform(yield* Random.nextIntBetween(0, 2 ** 32))
    const sampling = makeBlockSampling({
      order: orderColumns(own, draw),
      stages,
      settledAt,
      patienceMs: chain.slotDurationMs / 6,
      draw
    })
    begun(sampling)

    const ask = Effect.fnUntraced(function* (assignment: Assignment, answered: Effect.Effect<unknown>) {
      const { columns, witness } = assignment
      const askedAt = yield* Clock.currentTimeMillis
      const within = Duration.millis(Math.max(0, deadline - askedAt))
      // Whatever stood in the way, ours or the peer's, says nothing of the block.
      const asked = yield* peers.ask(witness.peerId, { slot, columns, purpose: "availability", within }).pipe(
        Effect.tapError((error) => Effect.logDebug(`slot ${slot} cannot be sampled at ${witness.peerId}`, error)),
        Effect.option
      )
      const claims = Option.flatMap(peers.known(witness.peerId), ({ claims }) => claims)
      sampling.hear(
        assignment,
        Option.match(asked, { onNone: () => askedAt, onSome: ({ probe }) => probe.startedAt }),
        Option.getOrUndefined(
          Option.map(asked, ({ absent, probe, proven }) => {
            const isOfBlock = probe.outcomes.every(({ blockRoot }) => blockRoot === root)
            return {
              asked: probe.job.columns,
              present: isOfBlock ? proven.map(({ column }) => column) : [],
              absent: isOfBlock ? absent : [],
              hasReached: Option.exists(claims, ({ current }) => current.headSlot >= slot)
            }
          })
        )
      )
      yield* answered
    })

    /** Why nothing may be held against the block. */
    const trouble = Effect.gen(function* () {
      const doubt = yield* doubts.sparesBlocks
      if (Option.isSome(doubt)) return `this monitor does not trust itself: ${doubt.value}`
      const late = yield* lag.worstSince(startedAt)
      return late < overloadLagMs ? undefined : `this machine was too busy to listen, by ${Math.round(late)} ms`
    })

    const decided: Decision = yield* Effect.gen(function* () {
      const bell = yield* Queue.sliding<void>(1)
      const questions = yield* FiberSet.make<void>()
      while (true) {
        const now = yield* Clock.currentTimeMillis
        const decision = sampling.decide(now >= deadline, yield* trouble)
        if (decision.verdict !== "undetermined" || now >= deadline) return decision
        const room = mostQuestions - (yield* FiberSet.size(questions))
        if (room > 0) {
          for (const assignment of sampling.next(yield* candidatesFor(slot), now, room)) {
            yield* FiberSet.run(questions, ask(assignment, bell.offer(undefined)))
          }
        }
        const pause = Math.min(chain.slotDurationMs / stepsASlot, deadline - now)
        yield* Effect.raceFirst(bell.take, Effect.sleep(Duration.millis(Math.max(1, pause))))
      }
    }).pipe(Effect.scoped)

    const decision = yield* stillCanonical(block, decided)
    const decidedAt = yield* Clock.currentTimeMillis
    const { absent, open, present } = sampling.columns()
    const witnesses = sampling.answeredBy()
    const views = yield* matrix.at(slot)
    return {
      slot,
      blockRoot: root,
      blobs: block.commitments.length,
      verdict: decision.verdict,
      reason: decision.reason,
      samples: decision.stage?.count ?? 0,
      allowedFailures: decision.stage?.allowed ?? 0,
      passingProbability: decision.passing ?? null,
      present,
      absent,
      unanswered: open,
      peers: witnesses.length,
      clients: [...new Set(witnesses.map(({ family }) => family))].sort((a, b) => a.localeCompare(b)),
      startedAt,
      decidedAt,
      decidedAfterMs: Math.round(decidedAt - slotStart(chain, slot)),
      held: views.find(({ blockRoot }) => blockRoot === root)?.held ?? 0
    } satisfies SlotVerdict
  })

  /** Before a block is called unavailable the chain is asked once more; of any other verdict its memory is. */
  function stillCanonical(block: Block, decision: Decision): Effect.Effect<Decision> {
    const { root, slot } = block
    const facts =
      decision.verdict === "unavailable"
        ? commitments.confirm(slot)
        : Effect.flatMap(commitments.range({ start: slot, end: slot }), ([fact]) => Effect.fromNullable(fact))
    return facts.pipe(
      Effect.timeout(Duration.millis(chain.slotDurationMs)),
      Effect.match({
        onFailure: () =>
          decision.verdict === "unavailable"
            ? undetermined("the beacon node does not say any more whether the block is canonical")
            : decision,
        onSuccess: (fact) =>
          rootOf(fact) === root ? decision : undetermined("the block is no longer canonical by our beacon node")
      })
    )
  }
})

const undetermined = (reason: string): Decision => ({
  verdict: "undetermined",
  reason,
  stage: undefined,
  passing: undefined
})

const sleepUntil = (at: number) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Duration.millis(Math.max(0, at - now))))

/** Questions about one block that are open at once. */
const mostQuestions = 64
/** Looks at who can be asked, where no answer comes. */
const stepsASlot = 48
