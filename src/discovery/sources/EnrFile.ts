import * as FileSystem from "@effect/platform/FileSystem"
import { type Duration, Effect, Either, Option, Schedule, Stream } from "effect"
import { pasted } from "../../domain/peer/Pasted.ts"
import { messageOf, oneLine, printable } from "../../domain/Text.ts"
import { makeYielder } from "../../runtime/YieldNow.ts"
import type { NodeFound } from "../Discovery.ts"
import { readNode } from "../ReadNode.ts"

/**
 * The nodes of a file, an ENR or a multiaddr a line; empty lines and what follows a `#` are left out. All of them at
 * first, and again whenever the file has become another one and is at rest: it may be missing, written again, cut short,
 * or replaced. Whatever is wrong is told once, with the number of the line, and the rest is taken.
 */
export const enrFile = (
  path: string,
  interval: Duration.DurationInput = "1 second"
): Stream.Stream<NodeFound, never, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.map(FileSystem.FileSystem, (fs) => {
      let told = ""
      /** What was read last, and what was there at the last look. */
      let read: string | undefined
      let seen: string | undefined
      const tell = (trouble: string) => {
        const isNew = trouble !== told
        told = trouble
        return isNew && trouble !== "" ? Effect.logWarning(`${path}: ${trouble}`) : Effect.void
      }
      const take = Effect.gen(function* () {
        const { lines, more } = linesOf(yield* fs.readFileString(path))
        const { bad, nodes } = yield* readLines(lines)
        yield* tell("")
        yield* Effect.forEach(bad.slice(0, mostTold), (text) => Effect.logWarning(`${path}:${text}`), { discard: true })
        if (bad.length > mostTold) yield* Effect.logWarning(`${path}: ${bad.length - mostTold} more lines name no node`)
        if (more > 0) yield* Effect.logWarning(`${path}: ${more} lines are left out: at most ${mostLines} are read`)
        yield* Effect.logInfo(`${path}: ${nodes.length} nodes`)
        return nodes
      })
      const look = Effect.gen(function* () {
        const info = yield* fs.stat(path)
        const now = [
          Option.getOrElse(info.ino, () => 0),
          info.size,
          Option.getOrUndefined(info.mtime)?.getTime()
        ].join()
        // Whoever writes it may be in the middle of that.
        const isAtRest = read === undefined || now === seen
        seen = now
        if (now === read || !isAtRest) return []
        if (info.type !== "File") return yield* Effect.as(tell("this is no file"), [])
        if (info.size > mostBytes)
          return yield* Effect.as(tell(`it is longer than ${mostBytes} bytes, and is not read`), [])
        const nodes = yield* take
        read = now
        return nodes
      }).pipe(
        Effect.catchAll((error) => {
          const isMissing = error._tag === "SystemError" && error.reason === "NotFound"
          // One that comes back is read at once.
          if (isMissing) read = undefined
          return Effect.as(
            tell(
              isMissing
                ? "there is no such file; it is looked for"
                : `it cannot be read: ${messageOf(error.cause ?? error)}`
            ),
            []
          )
        })
      )
      return Stream.flattenIterables(Stream.repeatEffectWithSchedule(look, Schedule.spaced(interval)))
    })
  )

const mostBytes = 4 * 2 ** 20
const mostLines = 10_000
const mostTold = 20

interface Line {
  readonly number: number
  readonly text: string
}

/** Those with something in them; as an item of a list in YAML too, the way some clients keep them. */
const linesOf = (content: string): { readonly lines: ReadonlyArray<Line>; readonly more: number } => {
  const lines = content
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((text, index) => ({
      number: index + 1,
      text: pasted(text.replace(/#.*$/, ""))
    }))
    .filter(({ text }) => text !== "")
  return { lines: lines.slice(0, mostLines), more: Math.max(0, lines.length - mostLines) }
}

/** Each signature that is checked costs a millisecond: others have their turn in between. */
const readLines = Effect.fnUntraced(function* (lines: ReadonlyArray<Line>) {
  const nodes: Array<NodeFound> = []
  const bad: Array<string> = []
  const yieldIfDue = makeYielder(5)
  for (const { number, text } of lines) {
    const node = readNode(text, "file")
    if (Either.isRight(node)) nodes.push(node.right)
    else bad.push(`${number}: ${printable(oneLine(node.left.message), 200)}; the line is left out`)
    yield* yieldIfDue
  }
  return { nodes, bad }
})
