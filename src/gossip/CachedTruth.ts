import { Clock, Effect, Option } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import { type ChainParameters, epochOf, slotAt } from "../domain/network/Chain.ts"
import type { Epoch, Root, Slot } from "../domain/Primitives.ts"
import { ExternsError } from "../host/Externs.ts"
import type { GossipQuestions, ImportedBlock, Proposers } from "../host/GossipTruth.ts"
import type { Asker } from "./Asker.ts"
import { makeQuestionShares } from "./QuestionShares.ts"

/**
 * The beacon node's answers, each asked for once as long as it holds, and few in a slot whatever strangers send: each asker
 * has a share of the questions (`QuestionShares`).
 */
export interface CachedTruth {
  /** That there is no such block is remembered for a second, or until the head is another one. */
  readonly block: (root: Root, asker: Asker) => Effect.Effect<Option.Option<ImportedBlock>, ExternsError>
  readonly proposers: (epoch: Epoch, asker: Asker) => Effect.Effect<Proposers, ExternsError>
  readonly validatorKey: (index: number, asker: Asker) => Effect.Effect<Option.Option<Uint8Array>, ExternsError>
  /**
   * The last block of the canonical chain that is the given one or an ancestor of it; none where that is too far back, or
   * the node does not have a block in between.
   */
  readonly forkPoint: (block: ImportedBlock, asker: Asker) => Effect.Effect<Option.Option<ImportedBlock>, ExternsError>
}

export interface ChainChanges {
  /** Another number whenever blocks have been replaced. */
  readonly reorgs: () => number
  readonly headSlot: Effect.Effect<Slot>
}

export const makeCachedTruth = (
  chain: ChainParameters,
  questions: GossipQuestions,
  { headSlot, reorgs }: ChainChanges
): CachedTruth => {
  const blocks = new Map<Root, ImportedBlock & { readonly until: number }>()
  /** Until when it holds that there is no such block, or no such validator. */
  const noBlocks = new Map<Root, number>()
  const noKeys = new Map<number, number>()
  const duties = new Map<Epoch, Proposers>()
  const keys = new Map<number, Uint8Array>()
  const mayAsk = makeQuestionShares(chain.slotDurationMs)
  const first = Effect.unsafeMakeSemaphore(1).withPermits(1)
  const others = Effect.unsafeMakeSemaphore(1).withPermits(1)
  let known = reorgs()
  let head: Slot = -1

  /** After a reorg nothing is known of what is canonical, nor of who proposes; with another head there are more blocks. */
  const refresh = Effect.gen(function* () {
    const newest = yield* headSlot
    if (newest !== head || reorgs() !== known) noBlocks.clear()
    head = newest
    if (reorgs() !== known) {
      known = reorgs()
      blocks.clear()
      duties.clear()
    }
    return yield* Clock.currentTimeMillis
  })

  const ask = <A>(asker: Asker | "us", question: string, answer: Effect.Effect<A, ExternsError>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (!mayAsk(asker, now)) {
        return Effect.fail(
          new ExternsError({
            operation: question,
            reason: "the beacon node was asked enough about what its sender sends"
          })
        )
      }
      return Effect.timeoutFail(answer, {
        duration: answerLimit,
        onTimeout: () => new ExternsError({ operation: question, reason: `no answer within ${answerLimit}` })
      })
    })

  /** One question at a time of strangers, and one of all others: whoever comes meanwhile finds the answer. */
  const cached = <A>(
    asker: Asker | "us",
    look: (now: number) => A | undefined,
    fetch: (now: number) => Effect.Effect<A, ExternsError>
  ) =>
    Effect.flatMap(refresh, (now) => {
      const answer = look(now)
      if (answer !== undefined) return Effect.succeed(answer)
      const inTurn = asker === "us" || asker._tag === "Signed" ? first : others
      return inTurn(
        Effect.flatMap(refresh, (now) => {
          const answer = look(now)
          return answer === undefined ? fetch(now) : Effect.succeed(answer)
        })
      )
    })

  const block = (root: Root, asker: Asker): Effect.Effect<Option.Option<ImportedBlock>, ExternsError> =>
    cached(
      asker,
      (now) => {
        const found = blocks.get(root)
        if (found !== undefined && now < found.until) return Option.some(found)
        return now < (noBlocks.get(root) ?? 0) ? Option.none() : undefined
      },
      (now) =>
        Effect.tap(ask(asker, `block ${root}`, questions.block(root)), (answer) => {
          if (Option.isNone(answer)) setNewest(noBlocks, root, now + absentMs, mostBlocks)
          else {
            const until = answer.value.isCanonical ? Infinity : now + offChainMs
            setNewest(blocks, root, { ...answer.value, until }, mostBlocks)
          }
        })
    )

  /** Every block of now needs those of the present, and of its neighbours: they are asked for whoever comes first. */
  const isNear = (epoch: Epoch, now: number): boolean => Math.abs(epochOf(chain, slotAt(chain, now)) - epoch) <= 1

  return {
    block,
    proposers: (epoch, asker) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const by = isNear(epoch, now) ? "us" : asker
        return cached(
          by,
          () => {
            const known = duties.get(epoch)
            // Those that are used stay.
            if (known !== undefined) setNewest(duties, epoch, known, mostEpochs)
            return known
          },
          () =>
            Effect.tap(ask(by, `proposers of epoch ${epoch}`, questions.proposers(epoch)), (answer) =>
              setNewest(duties, epoch, answer, mostEpochs)
            )
        )
      }),
    validatorKey: (index, asker) =>
      cached(
        asker,
        (now) => {
          const key = keys.get(index)
          if (key !== undefined) return Option.some(key)
          return now < (noKeys.get(index) ?? 0) ? Option.none() : undefined
        },
        (now) =>
          Effect.tap(ask(asker, `validator ${index}`, questions.validatorKey(index)), (answer) => {
            if (Option.isSome(answer)) setNewest(keys, index, answer.value, mostKeys)
            else setNewest(noKeys, index, now + absentMs, mostKeys)
          })
      ),
    forkPoint: Effect.fnUntraced(function* (block_, asker) {
      let at = block_
      for (let step = 0; step < mostSteps && !at.isCanonical; step++) {
        const parent = yield* block(at.parentRoot, asker)
        if (Option.isNone(parent)) return Option.none()
        at = parent.value
      }
      return at.isCanonical ? Option.some(at) : Option.none()
    })
  }
}

const answerLimit = "3 seconds"
/** A block that is not canonical yet may be so a moment later. */
const offChainMs = 500
/** As long as a block is waited for before it is looked for again. */
const absentMs = 1000
const mostBlocks = 512
const mostEpochs = 8
const mostKeys = 4096
/** Blocks on a branch of its own, of which each is a question. */
const mostSteps = 4
