import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Console, Effect, Either } from "effect"
import { type Evidence, UnreadableEvidence } from "../evidence/Evidence.ts"
import { examineGossip } from "../evidence/ExamineGossip.ts"
import { type AnyEvidence, decodeAnyEvidence, isOfGossip } from "../evidence/GossipEvidence.ts"
import { type Examination, examine } from "../evidence/Examine.ts"
import { loadKzg } from "../kzg/Kzg.ts"
import { complain, ProgramFailed } from "./Failure.ts"
import { printable } from "../domain/Text.ts"

/** The command: judges every file, and fails with the worst exit code. */
export const run = Effect.fn("VerifyEvidence.run")(function* (files: ReadonlyArray<string>, json: boolean) {
  let exitCode = 0
  for (const file of files) {
    const evidence = yield* Effect.either(read(file))
    if (Either.isLeft(evidence)) {
      exitCode = unreadableExitCode
      const reason = printable(evidence.left.message)
      yield* json ? Console.log(JSON.stringify({ file, error: reason })) : complain([`${file}: ${reason}`])
      continue
    }
    const piece = evidence.right
    const examination = yield* isOfGossip(piece) ? examineGossip(yield* kzg, piece) : examine(yield* kzg, piece)
    if (!examination.holds) exitCode = Math.max(exitCode, refutedExitCode)
    yield* Console.log(json ? jsonOf(file, evidence.right, examination) : textOf(file, evidence.right, examination))
  }
  if (exitCode !== 0) return yield* new ProgramFailed({ exitCode })
})

/** The trusted setup takes seconds: it is loaded once, and only when there is something to judge. */
const kzg = Effect.catchAll(loadKzg, ({ reason }) =>
  Effect.zipRight(complain([`dasmon: ${reason}`]), new ProgramFailed({ exitCode: unreadableExitCode }))
)

const refutedExitCode = 1
const unreadableExitCode = 2

/** The largest chunk is 10 MiB, which is 14 MB of base64. */
const maxFileBytes = 32 * 2 ** 20

const read = (file: string): Effect.Effect<AnyEvidence, UnreadableEvidence, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { size, type } = yield* fs.stat(file)
    if (type !== "File") return yield* new UnreadableEvidence({ reason: "it is not a file" })
    if (size > maxFileBytes) {
      return yield* new UnreadableEvidence({ reason: `it has ${size} bytes; evidence has at most ${maxFileBytes}` })
    }
    return yield* decodeAnyEvidence(yield* fs.readFileString(file))
  }).pipe(
    Effect.catchAll((error) => (error._tag === "UnreadableEvidence" ? error : new UnreadableEvidence(fileFault(error))))
  )

const fileFault = (error: PlatformError): { readonly reason: string } => {
  if (error._tag === "BadArgument") return { reason: error.message }
  switch (error.reason) {
    case "NotFound":
      return { reason: "there is no such file" }
    case "PermissionDenied":
      return { reason: "this user may not read it" }
    default:
      return { reason: error.description ?? error.message }
  }
}

const textOf = (file: string, evidence: AnyEvidence, { believed, holds, steps }: Examination): string =>
  [
    file,
    `  accused: ${peerOf(evidence)}, by ${evidence.program}`,
    `  of: ${accusationOf(evidence)}`,
    "  computed again:",
    ...steps.map(({ holds, text }) => `    ${holds ? "yes" : "NO "}  ${text}`),
    "  to be believed or looked up:",
    ...believed.map((text) => `    -    ${text}`),
    holds ? "  the accusation holds" : "  the accusation DOES NOT hold"
  ]
    .map((line) => printable(line))
    .join("\n")

const accusationOf = (evidence: AnyEvidence): string => {
  const { accusation, block, network } = evidence
  return isOfGossip(evidence)
    ? `column ${accusation.column} of slot ${block.slot} on ${network.name}, pushed by gossip, breaks the rule ` +
        `${evidence.accusation.rule}: ${accusation.detail}`
    : ofProbe(evidence)
}

const ofProbe = ({ accusation, block, network }: Evidence): string =>
  `column ${accusation.column} of slot ${block.slot} on ${network.name}, whose block has ${block.commitments.length} ` +
  `blobs, fails the check ${accusation.check}: ${accusation.detail}`

const peerOf = (evidence: AnyEvidence): string =>
  [
    evidence.peer.peerId,
    ...(isOfGossip(evidence) ? [] : [evidence.peer.agent, evidence.peer.address]),
    time(evidence.accusation.judgedAt)
  ]
    .filter((part) => part !== null)
    .join(", ")

/** One line. */
const jsonOf = (file: string, { accusation, block, network, peer, program }: AnyEvidence, examination: Examination) =>
  JSON.stringify({
    file,
    ...examination,
    accusation,
    slot: block.slot,
    blockRoot: block.root,
    blobs: block.commitments?.length ?? null,
    network: network.name,
    peer,
    program
  })

const time = (unixMs: number): string =>
  Math.abs(unixMs) <= maxDateMs ? new Date(unixMs).toISOString() : `${unixMs} ms`

const maxDateMs = 8.64e15
