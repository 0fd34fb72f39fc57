import { Duration } from "effect"
import { samplesPerSlot } from "../domain/availability/SampleCount.ts"
import { columnsToReconstruct } from "../domain/network/Chain.ts"
import { GoDuration } from "./GoDuration.ts"
import { flag, optional, whole, withDefault } from "./Values.ts"

/** How each new block is sampled: keys of `sampling`. */
export const perSlotKeys = {
  /** Whether it is. */
  perSlot: withDefault(flag, () => true),
  /** Columns that are asked for of a block while none fails. */
  samplesPerSlot: withDefault(whole(1, columnsToReconstruct), () => samplesPerSlot),
  /** After the start of the slot; a third of a slot if left out. */
  sampleAt: optional(GoDuration("0s", "1h")),
  /** The same, when a verdict is given at the latest; a slot and three quarters if left out. */
  deadline: optional(GoDuration("100ms", "1h"))
}

/** What is wrong with a deadline that comes before anything is asked. */
export const isLaterThanSampled = ({
  deadline,
  sampleAt
}: {
  readonly deadline?: Duration.Duration
  readonly sampleAt?: Duration.Duration
}) =>
  deadline === undefined || sampleAt === undefined || Duration.greaterThan(deadline, sampleAt)
    ? undefined
    : { path: ["deadline"], message: `expected a duration longer than that of sample_at, ${Duration.format(sampleAt)}` }
