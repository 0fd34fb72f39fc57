import { Schema } from "effect"

/** Where a scan is; it goes from one stage to a later one, and may pass over some. */
const ScanStage = Schema.Literal(
  /** For its turn. */
  "waiting",
  "dialling",
  "greeting",
  "choosing",
  "asking",
  /** What is suspected is left alone for a while. */
  "resting",
  "confirming",
  "finished"
).annotations({ identifier: "ScanStage" })

/** One thing that a scan tells of itself while it goes on. */
export const ScanStep = Schema.Struct({
  stage: ScanStage,
  /** A few words for a person. */
  detail: Schema.String
}).annotations({ identifier: "ScanStep" })
export type ScanStep = typeof ScanStep.Type
