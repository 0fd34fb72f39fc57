import { Duration, Option } from "effect"
import { type ChainParameters, slotStart } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"

/** How each new block is sampled. */
export interface SlotSamplingOptions {
  /** Without it no block is. */
  readonly perSlot: boolean
  /** Columns that are asked for while none fails. */
  readonly samplesPerSlot: number
  /** After the start of the slot; a third of it if none is given. */
  readonly sampleAt: Option.Option<Duration.Duration>
  /** The same, when a verdict is given at the latest; a slot and three quarters if none is given. */
  readonly deadline: Option.Option<Duration.Duration>
  /** Custody groups of our own node: its columns are the last to be sampled. */
  readonly custodyGroupCount: number
}

/** When a block is sampled, in Unix milliseconds. */
export interface SamplingTimes {
  readonly sampleAt: number
  /** From then on a question that is answered without a column counts against the block. */
  readonly settledAt: number
  readonly deadline: number
}

/** In milliseconds from the start of a slot. */
export const samplingDelays = (slotDurationMs: number, options: Pick<SlotSamplingOptions, "deadline" | "sampleAt">) => {
  const sampleMs = Option.match(options.sampleAt, { onNone: () => slotDurationMs / 3, onSome: Duration.toMillis })
  const deadlineMs = Option.match(options.deadline, { onNone: () => 1.75 * slotDurationMs, onSome: Duration.toMillis })
  return { sampleMs, deadlineMs: Math.max(deadlineMs, sampleMs) }
}

/**
 * The times for a block that was heard of at `learnedAt`. A column that comes within its slot is not late; one of a block that is
 * late itself has two thirds of a slot more. Whatever is late has at least half of the usual time.
 */
export const samplingTimes = (
  chain: ChainParameters,
  slot: Slot,
  learnedAt: number,
  options: Pick<SlotSamplingOptions, "deadline" | "sampleAt">
): SamplingTimes => {
  const { deadlineMs, sampleMs } = samplingDelays(chain.slotDurationMs, options)
  const start = slotStart(chain, slot)
  return {
    sampleAt: Math.max(start + sampleMs, learnedAt),
    settledAt: Math.max(start + chain.slotDurationMs, learnedAt + (2 / 3) * chain.slotDurationMs),
    deadline: Math.max(start + deadlineMs, learnedAt + (deadlineMs - sampleMs) / 2)
  }
}

/** Columns that may fail before a block no longer passes by its samples, as far as sampling goes on. */
export const mostFailures = 4
