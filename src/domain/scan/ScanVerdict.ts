import { Schema } from "effect"
import { Verdict } from "../peer/Verdict.ts"

/**
 * What a scan says of a peer: a verdict as the monitor has it, or `suspected` where something was left out, refused or
 * garbled and the run was too short to settle it, or `unreachable` where there was nobody to talk to.
 */
export const ScanVerdict = Schema.Literal(...Verdict.literals, "suspected", "unreachable").annotations({
  identifier: "ScanVerdict"
})
export type ScanVerdict = typeof ScanVerdict.Type
