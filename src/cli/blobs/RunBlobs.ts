import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Console, type Duration, Effect, Either, LogLevel, Logger, Option, Schema } from "effect"
import type { BlockName } from "../../blobs/BlobBlock.ts"
import type { ChaseProgress } from "../../blobs/ColumnChase.ts"
import { Dasmon } from "../../Dasmon.ts"
import type { NoBlobs } from "../../domain/blobs/BlobErrors.ts"
import type { FetchedBlobs } from "../../domain/blobs/FetchedBlobs.ts"
import { RootFromHex } from "../../domain/Bytes.ts"
import { printable } from "../../domain/Text.ts"
import type { BeaconChoice } from "../BeaconChoice.ts"
import { complain, failWith, type ProgramFailed, wrong } from "../Failure.ts"
import { engineFor, recordingFor } from "./BlobsHost.ts"
import { accountLines, blobText, foundLines } from "./BlobsText.ts"

/** What the command line says. */
export interface BlobsArguments {
  readonly block: string
  readonly index: ReadonlyArray<number>
  readonly versionedHash: ReadonlyArray<string>
  readonly out: Option.Option<string>
  readonly format: "hex" | "bin" | "json"
  readonly db: Option.Option<string>
  readonly timeLimit: Duration.Duration
  readonly patience: Duration.Duration
}

/** Fetches the blobs, writes them, and says on standard error where they came from. */
export const run = Effect.fn("Blobs.run")(function* (given: BlobsArguments, choice: BeaconChoice) {
  const block = yield* Either.match(blockNamed(given.block), {
    onLeft: (line) => wrong("blobs", [line]),
    onRight: Effect.succeed
  })
  if (given.format === "bin" && Option.isNone(given.out)) {
    return yield* wrong("blobs", ["--format bin needs --out DIR: give a folder, or take hex or json"])
  }
  // Before anybody is asked for anything.
  if (Option.isSome(given.out)) yield* makeFolder(given.out.value)
  const recording = yield* recordingFor(given.db, choice.config)
  const progress = progressLine()
  const found = yield* Effect.flatMap(Dasmon, ({ blobs }) =>
    blobs({
      block,
      indices: given.index,
      versionedHashes: given.versionedHash,
      limit: given.timeLimit,
      patience: given.patience,
      progress: progress.show
    })
  ).pipe(
    Effect.ensuring(progress.end),
    Effect.provide(engineFor(choice, recording)),
    Effect.catchTags({
      BlobsNotRecoverable: (error) =>
        failWith(exitCodes.notRecoverable, [`dasmon blobs: ${error.message}`, ...accountLines(error.account)]),
      BlobsUndecided: impossible,
      TooManyFetches: impossible,
      EmptySlot: noSuch,
      UnknownBlock: noSuch,
      NoSuchBlob: noSuch,
      OutOfRetention: noSuch,
      ExternsError: ({ message }) => impossible({ message: `the beacon node does not answer: ${message}` }),
      NodeError: impossible,
      IdentityError: impossible,
      VerifierError: ({ reason }) => impossible({ message: reason }),
      Discv5Error: impossible,
      HistoryError: impossible
    }),
    Logger.withMinimumLogLevel(LogLevel.Error)
  )
  yield* write(found, given)
  yield* complain([
    ...foundLines(found),
    Option.match(recording.instead, {
      onNone: () => `the outcomes are recorded in ${recording.databasePath}`,
      onSome: (reason) => `the outcomes are not recorded: ${reason}`
    })
  ])
}, Effect.scoped)

const exitCodes = { notRecoverable: 1, impossible: 4 } as const

const noSuch = ({ message }: NoBlobs): Effect.Effect<never, ProgramFailed> => wrong("blobs", [message])
const impossible = ({ message }: { readonly message: string }): Effect.Effect<never, ProgramFailed> =>
  failWith(exitCodes.impossible, [`dasmon blobs: ${message}`])

/** A slot in decimal digits, or a root. */
const blockNamed = (text: string): Either.Either<BlockName, string> => {
  if (/^\d{1,10}$/.test(text)) return Either.right({ slot: Number(text) })
  return Either.mapBoth(Schema.decodeEither(RootFromHex)(text), {
    onLeft: () => `${printable(text, 80)}: give a slot (digits), or the root of a block (0x and 64 hexadecimal digits)`,
    onRight: (root) => ({ root })
  })
}

const makeFolder = (path: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeDirectory(path, { recursive: true })).pipe(
    Effect.catchAll(({ message }) => wrong("blobs", [`--out: ${message}`]))
  )

const write = ({ account, blobs }: FetchedBlobs, { format, out }: BlobsArguments) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) =>
    Effect.forEach(
      blobs,
      (one) => {
        const text = format === "bin" ? "" : blobText(one, account, format)
        if (Option.isNone(out)) return Console.log(text)
        const path = join(out.value, `${account.slot}-${one.index}.${format}`)
        return format === "bin" ? fs.writeFile(path, one.blob) : fs.writeFileString(path, `${text}\n`)
      },
      { discard: true }
    )
  ).pipe(Effect.catchAll(({ message }) => wrong("blobs", [`--out: ${message}`])))

/** The line that says how far it is, on a terminal. */
const progressLine = () => {
  const put = (text: string) =>
    Effect.sync(() => {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
    })
  return {
    show: ({ asked, asking, present }: ChaseProgress) =>
      put(`${Math.min(present, 64)} of 64 columns; ${asking} of ${asked} peers are being asked`),
    end: put("")
  }
}
