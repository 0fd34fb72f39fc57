import { readdirSync, readlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { Effect, Fiber, FiberRef, HashMap } from "effect"
import { isAllowed, isRunner, outsideOf } from "./Allowed.ts"
import { openResources } from "./Resources.ts"

/** What is there at some moment: whatever is there later and not in here was left by what ran in between. */
export type Before = ReadonlySet<unknown>

/** Something that is left. */
export interface Leftover {
  /** The same thing has the same key whenever it is looked at. */
  readonly key: unknown
  readonly what: string
  /** Unix milliseconds, where known. */
  readonly madeAt: number | undefined
  /** The calls that made it, where known, the innermost first. */
  readonly stack: ReadonlyArray<string>
}

/** What is there at this moment. */
export const lookAround = (): Before => new Set(everything().map(({ key }) => key))

/**
 * What is there and was not `before`: fibers, sockets, workers, child processes, timers, temporary files and open ones.
 * What is about to end has `limitMs` to do so; the answer comes as soon as nothing is left.
 */
export const leftSince = async (before: Before, limitMs: number): Promise<ReadonlyArray<Leftover>> => {
  const until = performance.now() + limitMs
  for (;;) {
    const left = everything().filter(({ key }) => !before.has(key))
    if (left.length === 0 || performance.now() > until) return left
    await sleep(pollMs)
  }
}

/** The leftovers for a person, what is alike together; `during` tells what ran at a time. */
export const describeLeft = (
  left: ReadonlyArray<Leftover>,
  during: (unixMs: number) => string | undefined
): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const { madeAt, stack, what } of left) {
    const when = madeAt === undefined ? undefined : during(madeAt)
    const outside = outsideOf(stack)
    const runner = outside.findIndex((frame) => isRunner(frame))
    const frames = outside.slice(0, runner < 0 ? framesShown : Math.min(runner, framesShown))
    const text = [
      `${what}${when === undefined ? "" : `, made in "${when}"`}`,
      ...frames.map((frame) => `    at ${frame}`)
    ].join("\n")
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts].map(([text, count]) => (count === 1 ? text : `${count} × ${text}`))
}

const pollMs = 10
const framesShown = 8

const everything = (): ReadonlyArray<Leftover> => [...resources(), ...fibers(), ...temporaryFiles(), ...openFiles()]

const resources = (): ReadonlyArray<Leftover> =>
  openResources()
    .filter((resource) => !isAllowed(resource))
    .map(({ id, madeAt, stack, what }) => ({ key: id, what, madeAt, stack }))

/** The fibers that nobody's end ends: every other one is a child of one of them. */
const fibers = (): ReadonlyArray<Leftover> =>
  Effect.runSync(Fiber.roots)
    .filter((fiber) => fiber.unsafePoll() === null)
    .map((fiber) => {
      const span = fiber.currentSpan?._tag === "Span" ? [fiber.currentSpan.name] : []
      const notes = HashMap.toEntries(fiber.getFiberRef(FiberRef.currentLogAnnotations))
      const about = [...span, ...notes.map(([name, value]) => `${name}=${String(value)}`)].join(" ")
      return {
        key: fiber,
        what: about === "" ? "fiber" : `fiber (${about})`,
        // The end of the millisecond: what a test forks as it begins is its own.
        madeAt: fiber.id().startTimeMillis + 0.999,
        stack: []
      }
    })

const temporaryFiles = (): ReadonlyArray<Leftover> =>
  readdirSync(tmpdir()).map((name) => leftover(`${name} in the folder for temporary files`))

/** Where Linux tells: a database is opened by native code, and seen nowhere else. */
const openFiles = (): ReadonlyArray<Leftover> =>
  listed("/proc/self/fd")
    .flatMap((fd) => linkOf(`/proc/self/fd/${fd}`))
    .filter((path) => path.startsWith(tmpdir()))
    .map((path) => leftover(`open file ${path}`))

const leftover = (what: string): Leftover => ({ key: what, what, madeAt: undefined, stack: [] })

const listed = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Nothing for a file that was closed meanwhile. */
const linkOf = (path: string): ReadonlyArray<string> => {
  try {
    return [readlinkSync(path)]
  } catch {
    return []
  }
}
