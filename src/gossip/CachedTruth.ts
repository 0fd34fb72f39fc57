import { Clock, Effect, Option } from "effect"
import { makeBucket } from "../domain/Bucket.ts"
import { setNewest } from "../domain/Bounded.ts"
import type { ChainParameters } from "../domain/network/Chain.ts"
import type { Epoch, Root } from "../domain/Primitives.ts"
import { ExternsError } from "../host/Externs.ts"
import type { GossipQuestions, ImportedBlock, Proposers } from "../host/GossipTruth.ts"

/** The beacon node's answers, each asked for once as long as it holds, and few in a slot whatever strangers send. */
export interface CachedTruth extends GossipQuestions {
  /**
   * The last block of the canonical chain that is the given one or an ancestor of it; none where that is too far back, or
   * the node does not have a block in between.
   */
  readonly forkPoint: (block: ImportedBlock) => Effect.Effect<Option.Option<ImportedBlock>, ExternsError>
}

/** `reorgs`: another number whenever blocks have been replaced. */
export const makeCachedTruth = (
  chain: ChainParameters,
  questions: GossipQuestions,
  reorgs: () => number
): CachedTruth => {
  const blocks = new Map<Root, ImportedBlock & { readonly until: number }>()
  const duties = new Map<Epoch, Proposers>()
  const keys = new Map<number, Uint8Array>()
  const allowance = makeBucket({ burst: mostAtOnce, perSecond: (mostPerSlot * 1000) / chain.slotDurationMs })
  const inTurn = Effect.unsafeMakeSemaphore(1).withPermits(1)
  let known = reorgs()

  /** After a reorg nothing is known of what is canonical, nor of who proposes. */
  const refresh = Effect.map(Clock.currentTimeMillis, (now) => {
    if (reorgs() === known) return now
    known = reorgs()
    blocks.clear()
    duties.clear()
    return now
  })

  const ask = <A>(question: string, answer: Effect.Effect<A, ExternsError>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (allowance.room(now) < 1) {
        return Effect.fail(
          new ExternsError({ operation: question, reason: "the beacon node was asked enough in this slot" })
        )
      }
      allowance.take(1, now)
      return Effect.timeoutFail(answer, {
        duration: answerLimit,
        onTimeout: () => new ExternsError({ operation: question, reason: `no answer within ${answerLimit}` })
      })
    })

  /** One question at a time: whoever comes meanwhile finds the answer. */
  const cached = <A>(look: (now: number) => A | undefined, fetch: (now: number) => Effect.Effect<A, ExternsError>) =>
    Effect.flatMap(refresh, (now) => {
      const answer = look(now)
      if (answer !== undefined) return Effect.succeed(answer)
      return inTurn(
        Effect.flatMap(refresh, (now) => {
          const answer = look(now)
          return answer === undefined ? fetch(now) : Effect.succeed(answer)
        })
      )
    })

  const block = (root: Root): Effect.Effect<Option.Option<ImportedBlock>, ExternsError> =>
    cached(
      (now) => Option.filter(Option.fromNullable(blocks.get(root)), ({ until }) => now < until).pipe(nonEmpty),
      (now) =>
        Effect.tap(ask(`block ${root}`, questions.block(root)), (answer) => {
          if (Option.isNone(answer)) return
          const until = answer.value.isCanonical ? Infinity : now + offChainMs
          setNewest(blocks, root, { ...answer.value, until }, mostBlocks)
        })
    )

  return {
    block,
    proposers: (epoch) =>
      cached(
        () => duties.get(epoch),
        () =>
          Effect.tap(ask(`proposers of epoch ${epoch}`, questions.proposers(epoch)), (answer) =>
            setNewest(duties, epoch, answer, mostEpochs)
          )
      ),
    validatorKey: (index) =>
      cached(
        () => nonEmpty(Option.fromNullable(keys.get(index))),
        () =>
          Effect.tap(ask(`validator ${index}`, questions.validatorKey(index)), (answer) => {
            if (Option.isSome(answer)) setNewest(keys, index, answer.value, mostKeys)
          })
      ),
    forkPoint: Effect.fnUntraced(function* (block_) {
      let at = block_
      for (let step = 0; step < mostSteps && !at.isCanonical; step++) {
        const parent = yield* block(at.parentRoot)
        if (Option.isNone(parent)) return Option.none()
        at = parent.value
      }
      return at.isCanonical ? Option.some(at) : Option.none()
    })
  }
}

const nonEmpty = <A>(option: Option.Option<A>): Option.Option<A> | undefined =>
  Option.isSome(option) ? option : undefined

/** Questions to the beacon node: one for the parent of each block, and one an epoch for its proposers, when all is well. */
const mostPerSlot = 4
const mostAtOnce = 12
const answerLimit = "3 seconds"
/** A block that is not canonical yet may be so a moment later. */
const offChainMs = 500
const mostBlocks = 512
const mostEpochs = 4
const mostKeys = 4096
/** Blocks on a branch of its own, of which each is a question. */
const mostSteps = 4
