import { Context, Effect, FiberSet, Layer, Metric, Option, Stream } from "effect"
import type { BlockSampling } from "../domain/availability/BlockSampling.ts"
import { sampleStages } from "../domain/availability/SampleCount.ts"
import type { AvailabilityState, SlotVerdict } from "../domain/availability/SlotVerdict.ts"
import { followDistances, isInTime, trailingDeadline } from "../domain/availability/Trailing.ts"
import type { Sampling } from "../domain/Event.ts"
import {
  availabilityInTime,
  availabilityPassedOver,
  availabilitySeconds,
  availabilityVerdicts
} from "../domain/metrics/Metrics.ts"
import type { Block } from "../domain/network/Block.ts"
import { clientFamily } from "../domain/peer/ClientFamily.ts"
import { columnsOfPeerId } from "../domain/peer/ColumnsOfPeerId.ts"
import type { Root } from "../domain/Primitives.ts"
import { EventBus } from "../events/EventBus.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { Peers } from "../peers/Peers.ts"
import { daemon } from "../runtime/Daemon.ts"
import { watchNewBlocks } from "./NewBlocks.ts"
import { makeSampleSlot } from "./SampleSlot.ts"
import { mostFailures, samplingDelays, type SlotSamplingOptions, samplingTimes } from "./SamplingOptions.ts"

/**
 * Samples every new canonical block with blobs: columns drawn at random are asked of peers that owe them, and whether the
 * block is available is decided, told (`SlotAvailability`), recorded and counted.
 */
export class SlotSampling extends Context.Tag("dasmon/SlotSampling")<
  SlotSampling,
  {
    /** What came of it since the start. */
    readonly state: () => AvailabilityState
  }
>() {
  static readonly layer = (options: SlotSamplingOptions) => Layer.scoped(SlotSampling, make(options))
}

const make = Effect.fn("SlotSampling.make")(function* (options: SlotSamplingOptions) {
  const { chain } = yield* Externs
  const bus = yield* EventBus
  const history = yield* History
  const host = yield* Host
  const peers = yield* Peers
  const own = new Set(columnsOfPeerId(host.peerId, options.custodyGroupCount))
  const stages = sampleStages(options.samplesPerSlot, mostFailures)
  const sampleSlot = yield* makeSampleSlot(own, stages)
  const open = new Map<Root, BlockSampling>()
  const underWay = yield* FiberSet.make<void>()
  const state = {
    isOn: options.perSlot,
    available: 0,
    unavailable: 0,
    undetermined: 0,
    passedOver: 0,
    last: null as SlotVerdict | null
  }

  const passedOver = (count: number) =>
    Effect.zipRight(
      Effect.sync(() => void (state.passedOver += count)),
      Metric.incrementBy(availabilityPassedOver, count)
    )

  const tell = Effect.fnUntraced(function* (verdict: SlotVerdict) {
    yield* bus.inOneStep((step) => {
      state[verdict.verdict]++
      state.last = verdict
      step.tell({ _tag: "SlotAvailability", ...verdict })
    })
    yield* history.recordAvailability(verdict)
    yield* Metric.increment(availabilityVerdicts.of({ verdict: verdict.verdict }))
    if (verdict.verdict !== "undetermined") yield* Metric.update(availabilitySeconds, verdict.decidedAfterMs / 1000)
    for (const distance of followDistances) {
      if (isInTime(verdict, trailingDeadline(chain.slotDurationMs, distance, "attestation"))) {
        yield* Metric.increment(availabilityInTime.of({ distance: String(distance) }))
      }
    }
  })

  const sample = (block: Block, learnedAt: number) =>
    sampleSlot(block, samplingTimes(chain, block.slot, learnedAt, options), (sampling) =>
      open.set(block.root, sampling)
    ).pipe(
      Effect.flatMap(tell),
      Effect.ensuring(Effect.sync(() => open.delete(block.root))),
      Effect.catchAllCause((cause) => Effect.logError(`the sampling of slot ${block.slot} failed`, cause))
    )

  const begin = (block: Block, learnedAt: number) =>
    Effect.flatMap(FiberSet.size(underWay), (running) =>
      running >= mostUnderWay ? passedOver(1) : Effect.asVoid(FiberSet.run(underWay, sample(block, learnedAt)))
    )

  /** What a peer has proven of a block that is being sampled, to whomever, is not asked for again. */
  const learn = ({ probe }: Sampling) =>
    Effect.sync(() => {
      for (const { blockRoot, column, outcome } of probe.outcomes) {
        const sampling = outcome === "success" ? open.get(blockRoot) : undefined
        const { peerId } = probe.job
        const agent = Option.flatMap(peers.known(peerId), ({ agent }) => agent)
        sampling?.know({ peerId, family: clientFamily(Option.getOrNull(agent)), group: peerId }, column)
      }
    })

  if (options.perSlot) {
    const { deadlineMs } = samplingDelays(chain.slotDurationMs, options)
    yield* daemon(
      "the watch for columns that others prove",
      Effect.flatMap(bus.subscribe, (events) =>
        Stream.runForEach(events, (event) => (event._tag === "Sampling" ? learn(event) : Effect.void))
      ).pipe(Effect.scoped)
    )
    yield* watchNewBlocks({ tooOldMs: deadlineMs, tell: begin, passedOver })
  }
  return SlotSampling.of({ state: () => ({ ...state }) })
})

/** Blocks that are sampled at once. */
const mostUnderWay = 8
