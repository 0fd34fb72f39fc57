import { Clock, Duration, Effect } from "effect"
import { slotStart } from "../../../src/domain/network/Chain.ts"
import { type Bench, quantile, rounded } from "../Bench.ts"
import { firstLineOf } from "../FirstLine.ts"
import { lateMs, loopDelay } from "../LoopDelay.ts"
import { blobs, firstSlot, makeBenchChain, makeBenchPool } from "./BenchChain.ts"
import { type Heard, makeGossipNode } from "./GossipNode.ts"

/** Copies of each message that a node of a real mesh gets, about. */
const senders = 4

/** What taking part in the gossip of all columns costs, and how long a column waits for its verdict. */
export const gossip: Bench = {
  name: "gossip",
  description: `128 subnets × ${blobs} blobs, ${senders} peers that send each column, a block every 12 s and every 2 s`,
  run: ({ quick }) =>
    Effect.gen(function* () {
      const slow = yield* measure(12_000, quick ? 2 : 5)
      const fast = yield* measure(2_000, quick ? 6 : 20)
      const row = (name: string, measured: Measured) => [
        name,
        measured.blocks,
        measured.columns,
        measured.duplicates,
        measured.p50Ms,
        measured.p99Ms,
        measured.loopP99Ms,
        `${rounded(measured.cpuShare * 100, 1)} %`
      ]
      return [
        {
          title: "Gossip of all columns, one node with its worker threads",
          columns: [
            "a block every",
            "blocks",
            "accepted",
            "further copies",
            "p50 ms",
            "p99 ms",
            "loop late p99 ms",
            "CPU of a core"
          ],
          rows: [row("12 s", slow), row("2 s", fast)],
          summary: {
            validationP50Ms: slow.p50Ms,
            validationP99Ms: slow.p99Ms,
            loopDelayP99Ms: slow.loopP99Ms,
            cpuShare: slow.cpuShare,
            validationP50MsAt2s: fast.p50Ms,
            validationP99MsAt2s: fast.p99Ms,
            loopDelayP99MsAt2s: fast.loopP99Ms,
            cpuShareAt2s: fast.cpuShare
          }
        }
      ]
    })
}

interface Measured {
  readonly blocks: number
  readonly columns: number
  readonly duplicates: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly loopP99Ms: number
  /** Of one core, worker threads included. */
  readonly cpuShare: number
}

const measure = (slotMs: number, slots: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const [took, pool] = yield* Effect.timed(makeBenchPool)
      const settleMs = leastSettleMs + settlePools * Duration.toMillis(took)
      const now = yield* Clock.currentTimeMillis
      const genesisTime = Math.ceil((now + settleMs - firstSlot * slotMs) / 1000)
      const warmSlots = Math.ceil(warmMs / slotMs)
      const measuredFrom = firstSlot + warmSlots
      const chain = makeBenchChain(pool, slotMs, genesisTime)
      const { parameters } = chain
      const expected = Array.from({ length: slots }, (_, at) => chain.blockAt(measuredFrom + at)).filter(
        (block) => block !== undefined
      ).length
      const heard: Heard = { delaysMs: [], duplicates: 0 }
      const { address } = yield* makeGossipNode(chain, heard)
      const given = [slotMs, genesisTime, warmSlots + slots, senders, address].map(String)
      yield* firstLineOf(new URL("./Senders.js", import.meta.url), given, settleMs)
      const early = slotStart(parameters, firstSlot) - (yield* Clock.currentTimeMillis)
      if (early < 0) return yield* Effect.fail(`the senders were ready ${-early} ms too late`)
      yield* Effect.sleep(early + warmSlots * slotMs)
      heard.delaysMs.length = 0
      heard.duplicates = 0
      const delay = loopDelay()
      delay.enable()
      const before = process.cpuUsage()
      yield* Effect.sleep(slots * slotMs)
      const { system, user } = process.cpuUsage(before)
      delay.disable()
      const columns = heard.delaysMs.length
      // What is missing would have been the slowest.
      if (columns < expected * 128 * 0.99) {
        return yield* Effect.fail(
          `of ${expected * 128} columns only ${columns} were accepted, and ${heard.duplicates} further copies came`
        )
      }
      return {
        blocks: expected,
        columns,
        duplicates: heard.duplicates,
        p50Ms: rounded(quantile(heard.delaysMs, 0.5), 1),
        p99Ms: rounded(quantile(heard.delaysMs, 0.99), 1),
        loopP99Ms: rounded(lateMs(delay.percentile(99)), 1),
        cpuShare: rounded((system + user) / 1e3 / (slots * slotMs), 3)
      } satisfies Measured
    })
  )

/**
 * Slots that are not measured: the first header costs four times as much as later ones, before the code of signatures is
 * compiled, and the chain's keys are made when they are asked for.
 */
const warmMs = 6_000
/** For the threads and the senders to be ready, who make the same pool first. */
const leastSettleMs = 40_000
const settlePools = 3
