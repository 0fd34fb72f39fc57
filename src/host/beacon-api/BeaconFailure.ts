import { Data, Option } from "effect"
import { ExternsError } from "../Externs.ts"

/** One request to a beacon node that came to nothing. */
export class BeaconFailure extends Data.TaggedError("BeaconFailure")<{
  readonly operation: string
  readonly reason: string
  /** HTTP status, where there was an answer. */
  readonly status: Option.Option<number>
  /** Whether the same request may succeed a moment later. */
  readonly transient: boolean
}> {
  override get message(): string {
    return `${this.operation}: ${this.reason}`
  }
}

/** A failure without an answer that the same request may not meet again. */
export const passing = (operation: string, reason: string): BeaconFailure =>
  new BeaconFailure({ operation, reason, status: Option.none(), transient: true })

/** A failure without an answer that the same request would meet again. */
export const lasting = (operation: string, reason: string): BeaconFailure =>
  new BeaconFailure({ operation, reason, status: Option.none(), transient: false })

/** What several nodes failed with, as one; `none` where there was nobody to fail. */
export const joined = (failures: ReadonlyArray<BeaconFailure>, none: BeaconFailure): BeaconFailure => {
  const [first = none, ...others] = failures
  return others.reduce(
    (before, next) =>
      new BeaconFailure({
        operation: before.operation,
        reason: `${before.reason}; and ${next.message}`,
        status: before.status,
        transient: before.transient || next.transient
      }),
    first
  )
}

export const toExternsError = ({ operation, reason }: BeaconFailure): ExternsError =>
  new ExternsError({ operation, reason })
