import { Duration } from "effect"
import type { RequestError, Unverifiable } from "../../domain/probe/Outcome.ts"
import { describe } from "../../domain/probe/Outcome.ts"
import type { DialError } from "../../host/Host.ts"

/** What ended a scan before everything was asked. */
export type ScanFailure =
  /** No address of it is known. */
  | { readonly _tag: "NotFound"; readonly detail: string }
  | { readonly _tag: "NotReached"; readonly error: DialError | Unverifiable }
  /** There was a connection, and no Status. */
  | { readonly _tag: "NoHandshake"; readonly error: RequestError | Unverifiable }
  | { readonly _tag: "OtherNetwork"; readonly theirs: string; readonly ours: ReadonlyArray<string> }
  /** What it owes cannot be told. */
  | { readonly _tag: "NoNodeId"; readonly detail: string }
  /** Nothing that it owes can be asked for and judged. */
  | { readonly _tag: "NothingToAsk"; readonly detail: string }
  /** It stopped to answer questions for columns. */
  | { readonly _tag: "Broken"; readonly error: RequestError }
  /** The chain cannot be asked, or we have reason not to trust ourselves. */
  | { readonly _tag: "NoTruth"; readonly detail: string }
  | { readonly _tag: "TimeLimit"; readonly limit: Duration.Duration }
  /** A bug of ours. */
  | { readonly _tag: "Defect"; readonly detail: string }

/** A sentence for a person. */
export const describeFailure = (failure: ScanFailure): string => {
  switch (failure._tag) {
    case "NotFound":
    case "NoNodeId":
    case "NothingToAsk":
    case "NoTruth":
      return failure.detail
    case "NotReached":
      return failure.error._tag === "NotDialled" ? failure.error.message : describe(failure.error)
    case "NoHandshake":
    case "Broken":
      return describe(failure.error)
    case "OtherNetwork":
      return `its fork digest is ${failure.theirs}, that of the beacon node ${failure.ours.join(" or ")}`
    case "TimeLimit":
      return `the time limit of ${Duration.format(failure.limit)} was reached`
    case "Defect":
      return `this is a bug in dasmon: ${failure.detail}`
  }
}
