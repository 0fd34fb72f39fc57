import { Clock, Duration, Effect, Either, Option } from "effect"
import type { Block, SlotFacts } from "../domain/network/Block.ts"
import { hasColumns, slotOf } from "../domain/network/Block.ts"
import {
  type ChainParameters,
  maxRequestBlocks,
  maxRequestDataColumnSidecars,
  numberOfColumns,
  serveRange,
  slotAt,
  type SlotRange
} from "../domain/network/Chain.ts"
import { forkDigestOfSlot } from "../domain/network/ForkDigest.ts"
import type { Guest, ServeLimits } from "../domain/custody/ServeLimits.ts"
import { unitsByRange, unitsByRoot } from "../domain/peer/ClientLimits.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { AnswerColumns } from "../host/OwnCustody.ts"
import { makeYielder } from "../runtime/YieldNow.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../wire/Requests.ts"
import { resultCodes } from "../wire/Refusal.ts"
import type { Reply } from "../wire/Server.ts"
import type { StreamFailure } from "../wire/StreamEnd.ts"
import type { CustodyStoreError, KeptBlock, KeptColumn } from "./CustodyStore.ts"
import type { Tally } from "./Tally.ts"

/** What is served, and how it is found. */
export interface Serving {
  readonly chain: ChainParameters
  /** Those that we owe, ascending. */
  readonly columns: ReadonlyArray<number>
  readonly earliestAvailableSlot: Effect.Effect<Slot>
  /** Of what is kept; infinite where there is nothing. */
  readonly oldestSlot: Effect.Effect<Slot, CustodyStoreError>
  readonly headSlot: Effect.Effect<Slot>
  /** The canonical blocks of at most 128 slots. */
  readonly facts: (range: SlotRange) => Effect.Effect<ReadonlyArray<SlotFacts>, ExternsError>
  /** What is kept, what has just come and is about to be written included. */
  readonly blocks: (range: SlotRange) => Effect.Effect<ReadonlyArray<KeptBlock>, CustodyStoreError>
  readonly block: (root: Root) => Effect.Effect<Option.Option<KeptBlock>, CustodyStoreError>
  readonly read: (root: Root, column: number) => Effect.Effect<Option.Option<KeptColumn>, CustodyStoreError>
  readonly limits: ServeLimits
  readonly tally: Tally
}

/**
 * Serves our own columns by range and by root (fulu/p2p-interface.md, DataColumnSidecarsByRange and ByRoot v1), within limits.
 * One column is in memory at a time; a reader that takes nothing is cut by the stream's own limit, one that is slow after a
 * minute.
 */
export const serveColumns = (serving: Serving): { readonly byRange: AnswerColumns; readonly byRoot: AnswerColumns } => {
  const { chain, limits, tally } = serving
  const underWay = new Map<string, number>()

  /** At most two requests of a peer with a protocol at a time (MAX_CONCURRENT_REQUESTS), each within a time. */
  const inTurn =
    (protocol: "range" | "root", answer: AnswerColumns): AnswerColumns =>
    (ssz, guest, reply) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const key = `${protocol} ${guest.peerId}`
          const others = underWay.get(key) ?? 0
          underWay.set(key, others + 1)
          return { key, others }
        }),
        ({ others }) =>
          others >= mostAtOnce
            ? refuse(reply, "limited", resultCodes.rateLimited, "rate limited: two requests at a time")
            : Effect.timeoutTo(answer(ssz, guest, reply), {
                duration: longestAnswer,
                onSuccess: () => Effect.void,
                onTimeout: () => reply.reset
              }).pipe(Effect.flatten),
        ({ key }) =>
          Effect.sync(() => {
            const left = (underWay.get(key) ?? 1) - 1
            if (left === 0) underWay.delete(key)
            else underWay.set(key, left)
          })
      )

  const refuse = (
    reply: Reply,
    reason: "limited" | "unavailable" | "invalid" | "failed",
    code: number,
    message: string
  ): Effect.Effect<void, StreamFailure> => Effect.zipRight(tally.refused(reason), reply.error(code, message))

  const invalid = (reply: Reply, message: string) => refuse(reply, "invalid", resultCodes.invalidRequest, message)

  /** Our own trouble, which is told at most as what it is. */
  const troubled = (reply: Reply, { message }: ExternsError | CustodyStoreError) =>
    Effect.zipRight(
      Effect.logDebug(`columns could not be served: ${message}`),
      refuse(reply, "failed", resultCodes.serverError, "internal error")
    )

  /** Runs what is asked for once it may have that much. */
  const admitted = (guest: Guest, units: number, reply: Reply, answer: Effect.Effect<void, StreamFailure>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const admission = limits.admit(guest, units, now)
      return admission._tag === "Refused"
        ? refuse(reply, "limited", resultCodes.rateLimited, admission.reason)
        : Effect.zipRight(Effect.sleep(Duration.millis(admission.afterMs)), answer)
    })

  /** Sends one column; whether it was there. */
  const send = Effect.fnUntraced(function* (by: "range" | "root", one: KeptColumn, guest: Guest, reply: Reply) {
    const afterMs = limits.send(guest, one.ssz.length, yield* Clock.currentTimeMillis)
    if (afterMs > 0) yield* Effect.sleep(Duration.millis(afterMs))
    yield* reply.chunk(one.ssz, forkDigestOfSlot(chain, one.slot))
    yield* tally.served(by, one.ssz.length)
  })

  const unavailable = (reply: Reply, earliest: Slot) =>
    refuse(reply, "unavailable", resultCodes.resourceUnavailable, `the earliest available slot is ${earliest}`)

  /** What is there is given below the earliest available slot too: a moment ago that may have been lower. */
  const range = Effect.fnUntraced(
    function* (wanted: ReadonlyArray<number>, range: SlotRange, guest: Guest, reply: Reply) {
      const earliest = yield* serving.earliestAvailableSlot
      if (range.start < earliest && range.start < (yield* serving.oldestSlot))
        return yield* unavailable(reply, earliest)
      const begun = yield* Clock.currentTimeMillis
      const facts = yield* serving.facts(range)
      const blocks = facts
        .flatMap((fact): ReadonlyArray<Block> => (fact._tag === "Block" && hasColumns(fact.block) ? [fact.block] : []))
        .sort((a, b) => a.slot - b.slot)
      // What the chain cannot tell may have columns: what comes behind it would be no answer to the whole.
      const known = new Set(facts.map(slotOf))
      const end = slotsOf(range).find((slot) => !known.has(slot)) ?? range.end + 1
      const kept = new Map((yield* serving.blocks(range)).map((block) => [block.root, block.columns]))
      const yieldNow = makeYielder(5)
      for (const block of blocks) {
        const late = (yield* Clock.currentTimeMillis) - begun > lastBlockAfterMs
        const own = kept.get(block.root) ?? []
        // All of a block's columns or none: to end between two blocks is allowed.
        if (late || block.slot >= end) return
        if (wanted.some((column) => !own.includes(column)))
          return block === blocks[0] && block.slot < earliest ? yield* unavailable(reply, earliest) : undefined
        for (const column of wanted) {
          const one = yield* serving.read(block.root, column)
          if (Option.isNone(one)) return yield* refuse(reply, "failed", resultCodes.serverError, "internal error")
          yield* send("range", one.value, guest, reply)
          yield* yieldNow
        }
      }
    },
    (effect, _wanted, _range, _guest, reply) =>
      Effect.catchTags(effect, {
        ExternsError: (error) => troubled(reply, error),
        CustodyStoreError: (error) => troubled(reply, error)
      })
  )

  const byRange: AnswerColumns = (ssz, guest, reply) =>
    Effect.gen(function* () {
      const request = decodeColumnsByRange(ssz)
      if (Either.isLeft(request)) return yield* invalid(reply, request.left.message)
      const { columns, count, startSlot } = request.right
      if (count === 0) return yield* invalid(reply, "count is 0")
      if (columns.some(isNoColumn)) return yield* invalid(reply, `there are ${numberOfColumns} columns`)
      const wanted = serving.columns.filter((column) => columns.includes(column))
      const asked = Math.min(count, maxRequestBlocks)
      const answer = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const served = serveRange(chain, Math.max(0, slotAt(chain, now)))
        const head = yield* serving.headSlot
        const start = Math.max(startSlot, served.start)
        const end = Math.min(startSlot + asked - 1, served.end, head)
        if (start > end || wanted.length === 0) return
        yield* range(wanted, { start, end }, guest, reply)
      })
      yield* admitted(guest, unitsByRange(asked, wanted.length), reply, answer)
    })

  const root = Effect.fnUntraced(function* (
    blockRoot: Root,
    wanted: ReadonlyArray<number>,
    guest: Guest,
    reply: Reply
  ) {
    const block = yield* serving.block(blockRoot)
    const now = yield* Clock.currentTimeMillis
    const { start } = serveRange(chain, Math.max(0, slotAt(chain, now)))
    if (Option.isNone(block) || block.value.slot < start) return
    for (const column of wanted.filter((column) => block.value.columns.includes(column))) {
      const one = yield* serving.read(blockRoot, column)
      if (Option.isSome(one)) yield* send("root", one.value, guest, reply)
    }
  })

  const byRoot: AnswerColumns = (ssz, guest, reply) =>
    Effect.gen(function* () {
      const request = decodeColumnsByRoot(ssz)
      if (Either.isLeft(request)) return yield* invalid(reply, request.left.message)
      const blocks = request.right
      if (blocks.some(({ columns }) => columns.some(isNoColumn))) {
        return yield* invalid(reply, `there are ${numberOfColumns} columns`)
      }
      if (blocks.reduce((sum, { columns }) => sum + columns.length, 0) > maxRequestDataColumnSidecars) {
        return yield* invalid(reply, `more than ${maxRequestDataColumnSidecars} sidecars are asked for`)
      }
      const wanted = blocks.map(({ blockRoot, columns }) => ({
        blockRoot,
        columns: serving.columns.filter((column) => columns.includes(column))
      }))
      const units = wanted.reduce((sum, { columns }) => sum + unitsByRoot(1, columns.length), 0)
      const answer = Effect.gen(function* () {
        const begun = yield* Clock.currentTimeMillis
        const yieldNow = makeYielder(5)
        for (const { blockRoot, columns } of wanted) {
          if ((yield* Clock.currentTimeMillis) - begun > lastBlockAfterMs) return
          yield* root(blockRoot, columns, guest, reply)
          yield* yieldNow
        }
      }).pipe(Effect.catchTag("CustodyStoreError", (error) => troubled(reply, error)))
      yield* admitted(guest, units, reply, answer)
    })

  return { byRange: inTurn("range", byRange), byRoot: inTurn("root", byRoot) }
}

const slotsOf = ({ end, start }: SlotRange): ReadonlyArray<Slot> =>
  Array.from({ length: Math.max(0, end - start + 1) }, (_, index) => start + index)

const isNoColumn = (column: number): boolean => column >= numberOfColumns

const mostAtOnce = 2
/** No block is begun later in an answer than this. */
const lastBlockAfterMs = 30_000
const longestAnswer = Duration.seconds(60)
