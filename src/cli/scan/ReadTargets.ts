import { FileSystem } from "@effect/platform"
import { NodeStream } from "@effect/platform-node"
import { Effect, Either, Option, Stream } from "effect"
import { messageOf } from "../../domain/Text.ts"
import { type GivenTarget, readTargets, targetsInText } from "../../scan/target/TargetList.ts"
import { wrong } from "../Failure.ts"

/** Characters of a list of targets. */
const mostText = 2 ** 21

/** The targets of the command line, of a file and of standard input (`-`), in this order; complains of all that is wrong. */
export const targetsFrom = Effect.fn("Scan.targets")(function* (
  texts: ReadonlyArray<string>,
  file: Option.Option<string>
) {
  const given: Array<GivenTarget> = []
  let hasRead = false
  const standardInput = Effect.suspend(() => {
    if (hasRead) return Effect.succeed([])
    hasRead = true
    return Effect.map(readStandardInput, (text) => targetsInText(text, "standard input"))
  })
  for (const [index, text] of texts.entries()) {
    if (text === "-") given.push(...(yield* standardInput))
    else given.push({ text, place: `argument ${index + 1}` })
  }
  if (Option.isSome(file)) {
    given.push(...(file.value === "-" ? yield* standardInput : targetsInText(yield* readFile(file.value), file.value)))
  }
  const targets = readTargets(given)
  return Either.isRight(targets) ? targets.right : yield* wrong("scan", targets.left)
})

const readFile = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(path).pipe(Effect.zipRight(fs.readFileString(path)))).pipe(
    Effect.catchAll((error) =>
      wrong("scan", [`--file ${path}: it cannot be read: ${messageOf(error.cause ?? error)}`])
    ),
    Effect.flatMap((text) => bounded(text, `--file ${path}`))
  )

const readStandardInput = NodeStream.stdin.pipe(
  Stream.decodeText(),
  Stream.runFoldWhile(
    "",
    (text) => text.length <= mostText,
    (text, part) => text + part
  ),
  Effect.catchAll((error) => wrong("scan", [`standard input cannot be read: ${messageOf(error)}`])),
  Effect.flatMap((text) => bounded(text, "standard input"))
)

const bounded = (text: string, name: string) =>
  text.length <= mostText ? Effect.succeed(text) : wrong("scan", [`${name}: it is longer than ${mostText} characters`])
