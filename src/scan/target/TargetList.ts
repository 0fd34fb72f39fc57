import { Array as Arr, Either } from "effect"
import { parseTarget, type Target } from "./Target.ts"

/** A target as it was given, and where. */
export interface GivenTarget {
  readonly text: string
  /** For a person: `argument 2`, `nodes.txt:7`. */
  readonly place: string
}

/** Targets in one run, at most. */
const mostTargets = 1000

/** The targets of a text, one a line; empty lines and what stands behind a `#` are passed over. */
export const targetsInText = (text: string, name: string): ReadonlyArray<GivenTarget> =>
  text.split(/\r?\n/).flatMap((line, index) => {
    const named = line.replace(/(^|\s)#.*$/, "").trim()
    return named === "" ? [] : [{ text: named, place: `${name}:${index + 1}` }]
  })

/** All of them, each peer once, by what was said of it first; or a line for each that is wrong. */
export const readTargets = (
  given: ReadonlyArray<GivenTarget>
): Either.Either<ReadonlyArray<Target>, ReadonlyArray<string>> => {
  if (given.length === 0) return Either.left(["no target is given: name one, or --file FILE, or - for standard input"])
  if (given.length > mostTargets) {
    return Either.left([`${given.length} targets are given, at most ${mostTargets} are scanned in one run`])
  }
  const [wrong, targets] = Arr.separate(
    given.map(({ place, text }) => Either.mapLeft(parseTarget(text), ({ reason }) => `${place}: ${reason}`))
  )
  if (wrong.length > 0) return Either.left(wrong)
  return Either.right(Arr.dedupeWith(targets, (a, b) => a.address.peerId === b.address.peerId))
}
