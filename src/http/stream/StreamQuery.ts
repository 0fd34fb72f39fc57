import { Either, Option, Schema } from "effect"
import { EventTag } from "../../domain/Event.ts"
import type { EventFilter } from "../../domain/EventFilter.ts"
import { isPeerId } from "../../domain/peer/NodeId.ts"
import { BadParameter } from "../api/ApiErrors.ts"

/** What a client of the event stream asks for. */
export interface StreamQuery {
  readonly filter: EventFilter
  /** Where it was; without it, it begins with a snapshot. */
  readonly position: Position | undefined
}

export interface Position {
  /** The newest event that the client has, or did not want. */
  readonly sequence: number
  /** The run of the program in which that was; unknown if the client does not say. */
  readonly run: string | undefined
}

/** Reads `?types=`, `?peer=`, `?since=` and `?run=` of a request's URL. */
export const readStreamQuery = (url: string): Either.Either<StreamQuery, BadParameter> =>
  Either.gen(function* () {
    const query = new URLSearchParams(/\?([^#]*)/.exec(url)?.[1] ?? "")
    for (const name of query.keys()) {
      if (!parameters.includes(name)) yield* bad(name, `is none of ${parameters.join(", ")}`)
      if (query.getAll(name).length > 1) yield* bad(name, "comes more than once")
    }
    const types = query.get("types")?.split(",")
    if (types !== undefined && !types.every(isTag)) {
      return yield* bad("types", `must be one or more of ${EventTag.literals.join(", ")}, with commas in between`)
    }
    const peer = query.get("peer") ?? undefined
    if (peer !== undefined && !isPeerId(peer)) yield* bad("peer", "must be a libp2p peer id such as 16Uiu2HAm…")
    const since = query.get("since") ?? undefined
    const run = query.get("run") ?? undefined
    if (since !== undefined && !isSequence(since)) yield* bad("since", "must be the sequence number of an event")
    if (run !== undefined && !isRun(run)) yield* bad("run", "must be the run that a Snapshot or Heartbeat named")
    if (run !== undefined && since === undefined) yield* bad("run", "stands beside since only")
    return { filter: { types, peer }, position: since === undefined ? undefined : { sequence: Number(since), run } }
  })

/** What a browser that connects again says of where it was: the `id` of an event; nothing if it is not one of ours. */
export const readEventId = (id: string | undefined): Option.Option<Position> =>
  Option.fromNullable(/^(\d+)@([^@]+)$/.exec(id ?? "")).pipe(
    Option.filterMap(([, sequence = "", run = ""]) =>
      isSequence(sequence) && isRun(run) ? Option.some({ sequence: Number(sequence), run }) : Option.none()
    )
  )

const parameters: ReadonlyArray<string> = ["types", "peer", "since", "run"]

const isTag = Schema.is(EventTag)
const isSequence = (text: string): boolean => /^\d{1,15}$/.test(text)
const isRun = (text: string): boolean => /^[\da-f-]{36}$/.test(text)

const bad = (parameter: string, reason: string): Either.Either<never, BadParameter> =>
  // A name that is not known is not repeated at any length.
  Either.left(new BadParameter({ parameter: parameter.slice(0, 50), in: "query", reason }))
