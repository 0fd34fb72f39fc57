import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Effect, Either, Option, Stream } from "effect"
import { messageOf, printable } from "../../domain/Text.ts"
import { type GivenTarget, readTargets, targetsInText } from "../../scan/target/TargetList.ts"
import { wrong } from "../Failure.ts"

/** Characters of a list of targets. */
const mostText = 2 ** 21

/** The targets of the command line, of a file and of standard input (`-`), in this order; complains of all that is wrong. */
export const targetsFrom = Effect.fn("Scan.targets")(function* (
  texts: ReadonlyArray<string>,
  file: Option.Option<string>
) {
  const flag = texts.find((text) => /^--?[a-z]/i.test(text))
  if (flag !== undefined) {
    return yield* wrong("scan", [`${printable(flag, 40)}: there is no such flag; dasmon scan --help names them all`])
  }
  const given: Array<GivenTarget> = []
  let hasRead = false
  const standardInput = Effect.suspend(() => {
    if (hasRead) return Effect.succeed([])
    hasRead = true
    return Effect.map(readBounded("standard input")(NodeStream.stdin), (text) => targetsInText(text, "standard input"))
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
  Stream.unwrap(Effect.map(FileSystem.FileSystem, (fs) => fs.stream(path))).pipe(
    Stream.mapError((error) => error.cause ?? error),
    readBounded(`--file ${path}`)
  )

/** Reads no further than a list may be long: whoever pipes in something endless is told so. */
const readBounded =
  (name: string) =>
  <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) =>
    bytes.pipe(
      Stream.decodeText(),
      Stream.runFoldWhile(
        "",
        (text) => text.length <= mostText,
        (text, part) => text + part
      ),
      Effect.catchAll((error) => wrong("scan", [`${name}: it cannot be read: ${messageOf(error)}`])),
      Effect.filterOrElse(
        (text) => text.length <= mostText,
        () => wrong("scan", [`${name}: it is longer than ${mostText} characters`])
      )
    )
