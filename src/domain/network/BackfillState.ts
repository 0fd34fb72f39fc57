import { Schema } from "effect"

/** How the filling of the window with ground truth is doing. */
export const BackfillState = Schema.Struct({
  mode: Schema.Literal("off", "background", "preload"),
  /**
   * `restoring` what is on disk, `filling` from the newest slot to the oldest, `done` when all was asked for that can be
   * had, or `off`.
   */
  stage: Schema.Literal("off", "restoring", "filling", "done"),
  /** Slots that became known a second, over the last minute at most. */
  slotsPerSecond: Schema.Number,
  /** At this pace; `null` where it is not being filled, or stands still. */
  secondsLeft: Schema.NullOr(Schema.Number),
  /** Slots of which the ground truth is on disk: a restart need not ask for them again. */
  stored: Schema.Int
}).annotations({ identifier: "BackfillState" })
export type BackfillState = typeof BackfillState.Type
