import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect, Either, Fiber, FiberSet, Layer, Option, PartitionedSemaphore, Ref, Schema } from "effect"
import { daemon } from "../runtime/Daemon.ts"
import { makeGuard } from "../runtime/Guard.ts"
import { type AnyEvidence, encodeAnyEvidence } from "./GossipEvidence.ts"
import { type EvidenceBounds, EvidenceStore } from "./EvidenceStore.ts"
import { bytesOnDisk, type EvidenceIndex, makeEvidenceIndex, peerOfName, type Piece, pieceOf } from "./EvidenceIndex.ts"

export interface FolderEvidenceOptions extends EvidenceBounds {
  /** Made when the first piece is kept. */
  readonly path: string
}

/**
 * Keeps each piece in a file of its own, which is there wholly or not at all. What is in the folder at the start counts
 * and is looked at in the background. A folder that cannot be written is said once, and tried again with every probe
 * that has something to keep.
 */
export const layer = (options: FolderEvidenceOptions): Layer.Layer<EvidenceStore> =>
  Layer.provide(layerOver(options), NodeFileSystem.layer)

/** The same over a file system of the caller's choice. */
export const layerOver = (options: FolderEvidenceOptions): Layer.Layer<EvidenceStore, never, FileSystem.FileSystem> =>
  Layer.scoped(EvidenceStore, make(options))

class FolderError extends Schema.TaggedError<FolderError>()("FolderError", { reason: Schema.String }) {}

const make = Effect.fn("FolderEvidence.make")(function* (options: FolderEvidenceOptions) {
  const { path } = options
  const fs = yield* FileSystem.FileSystem
  const index = makeEvidenceIndex(options)
  /** One at a time on the disk: the index and the folder then say the same. Those that wait are served by turns. */
  const disk = yield* PartitionedSemaphore.make<string>({ permits: 1 })
  const writes = yield* FiberSet.make()
  const guard = yield* makeGuard("keeping of evidence", { isShown: false })
  const scanned = yield* Ref.make(false)
  /** Why it cannot be written, while it cannot. */
  const failing = yield* Ref.make(Option.none<string>())
  const lost = yield* Ref.make(0)

  const discard = ({ name }: Piece) =>
    removeFile(fs, `${path}/${name}`).pipe(Effect.zipRight(Effect.sync(() => index.remove(name))))

  const scanOnce = Effect.unlessEffect(
    Effect.zipRight(scan(fs, path, index, discard), Ref.set(scanned, true)),
    Ref.get(scanned)
  )

  const keepOne = (evidence: AnyEvidence) =>
    Effect.gen(function* () {
      const text = new TextEncoder().encode(encodeAnyEvidence(evidence))
      const piece = pieceOf(evidence, text.length)
      yield* scanOnce.pipe(Effect.timeoutFail({ duration: scanLimit, onTimeout: () => tooSlow(scanLimit) }))
      const gone = index.roomFor(piece)
      if (gone === undefined) {
        return yield* new FolderError({ reason: `a piece of ${piece.bytes} bytes is larger than what may be kept` })
      }
      yield* writeFile(fs, path, piece.name, text, Effect.forEach(gone, discard, { discard: true })).pipe(
        Effect.disconnect,
        Effect.timeoutFail({ duration: writeLimit, onTimeout: () => tooSlow(writeLimit) })
      )
      index.add(piece)
    }).pipe(
      disk.withPermits(evidence.peer.peerId, 1),
      Effect.mapError((error) => (error._tag === "FolderError" ? error.reason : reasonOf(error)))
    )

  /** Gives whether it failed before. */
  const setFailing = (reason: Option.Option<string>) => Effect.map(Ref.getAndSet(failing, reason), Option.isSome)

  const succeeded = Effect.whenEffect(
    Effect.logInfo(`evidence folder ${path}: is written again`),
    setFailing(Option.none())
  )

  const failed = (reason: string, pieces: number) =>
    Effect.zipRight(
      Ref.update(lost, (before) => before + pieces),
      Effect.unlessEffect(
        Effect.logWarning(
          `evidence folder ${path}: cannot be written: ${reason}; still trying, meanwhile evidence is lost`
        ),
        setFailing(Option.some(reason))
      )
    )

  /** After a failure the rest of a probe's pieces is not tried: a disk that hangs is waited for once a probe. */
  const keep = Effect.fn("FolderEvidence.keep")(function* (pieces: ReadonlyArray<AnyEvidence>) {
    for (const [place, piece] of pieces.entries()) {
      const done = yield* Effect.either(guard(keepOne(piece), bug))
      if (Either.isLeft(done)) return yield* failed(done.left, pieces.length - place)
      yield* succeeded
    }
  })

  // Runs before the fibers are interrupted: what is under way is written, unless that takes long.
  yield* Effect.addFinalizer(() =>
    FiberSet.awaitEmpty(writes).pipe(Effect.interruptible, Effect.timeoutOption(closeLimit))
  )
  const lookThrough = scanOnce.pipe(
    disk.withPermits("", 1),
    Effect.catchAll((error) => failed(reasonOf(error), 0))
  )
  yield* daemon("looking through the evidence", lookThrough)

  return EvidenceStore.of({
    keep: (pieces) =>
      pieces.length === 0
        ? Effect.void
        : Effect.flatMap(FiberSet.run(writes, keep(pieces)), (fiber) => Effect.asVoid(Fiber.await(fiber))),
    state: Effect.map(Effect.all({ failing: Ref.get(failing), lost: Ref.get(lost) }), ({ failing, lost }) => ({
      state: Option.isNone(failing) ? "keeping" : "failing",
      reason: Option.getOrNull(failing),
      lost,
      ...index.total()
    }))
  })
})

/** A few turns of the event loop, of which each may take a second where the machine has much else to do. */
const writeLimit = "10 seconds"
const scanLimit = "60 seconds"
const closeLimit = "2 seconds"

/** Files that are looked at together: the disk's threads have other work too. */
const scanConcurrency = 2
/** Files that are looked at in one go: their effects are not all made at once. */
const scanBatch = 128

/** Takes what the folder holds into the index; what is beyond its bounds, or half-written, is removed. */
const scan = (
  fs: FileSystem.FileSystem,
  path: string,
  index: EvidenceIndex,
  discard: (piece: Piece) => Effect.Effect<void, PlatformError>
) =>
  Effect.gen(function* () {
    const names = yield* fs.readDirectory(path).pipe(orIfNotFound(() => []))
    const halves = names.filter(
      (name) => name.endsWith(temporarySuffix) && peerOfName(name.slice(0, -temporarySuffix.length)) !== undefined
    )
    yield* Effect.forEach(halves, (name) => removeFile(fs, `${path}/${name}`), { discard: true })
    const own = names.filter((name) => peerOfName(name) !== undefined).sort()
    for (let start = 0; start < own.length; start += scanBatch) {
      const found = yield* Effect.forEach(
        own.slice(start, start + scanBatch),
        (name) =>
          fs.stat(`${path}/${name}`).pipe(
            Effect.map(({ size }) => [{ name, peer: peerOfName(name) ?? "", bytes: bytesOnDisk(Number(size)) }]),
            orIfNotFound(() => [])
          ),
        { concurrency: scanConcurrency }
      )
      for (const piece of found.flat()) {
        const gone = index.roomFor(piece)
        if (gone?.length !== 0) yield* Effect.forEach(gone ?? [piece], discard, { discard: true })
        if (gone !== undefined) index.add(piece)
      }
    }
  })

const temporarySuffix = ".tmp"

/** The whole file under its name or nothing; `makeRoom` runs when it is certain that the disk takes it. */
const writeFile = (
  fs: FileSystem.FileSystem,
  path: string,
  name: string,
  text: Uint8Array,
  makeRoom: Effect.Effect<void, PlatformError>
) => {
  const file = `${path}/${name}`
  const temporary = `${file}${temporarySuffix}`
  const write = fs.writeFile(temporary, text)
  return write.pipe(
    // Not the folders above it: a write that is late must not bring back what was removed meanwhile.
    Effect.catchIf(isNotFound, () => Effect.zipRight(fs.makeDirectory(path), write)),
    Effect.zipRight(makeRoom),
    Effect.zipRight(fs.rename(temporary, file)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary)))
  )
}

const removeFile = (fs: FileSystem.FileSystem, file: string) => fs.remove(file).pipe(orIfNotFound(() => undefined))

const isNotFound = (error: PlatformError): boolean => error._tag === "SystemError" && error.reason === "NotFound"

const orIfNotFound =
  <B>(value: () => B) =>
  <A, R>(effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A | B, PlatformError, R> =>
    Effect.catchIf(effect, isNotFound, () => Effect.sync(value))

/** A piece that cannot even be written down is a bug here, and no reason to lose the probe. */
const bug = (reason: string): string => `this is a bug in dasmon: ${reason}`

const tooSlow = (limit: string) => new FolderError({ reason: `the disk does not answer within ${limit}` })

const reasonOf = (error: PlatformError): string => {
  if (error._tag === "BadArgument") return `this is not the path of a folder (${error.message})`
  switch (error.reason) {
    case "PermissionDenied":
      return "this user may not write there: change its permissions"
    case "BadResource":
    case "AlreadyExists":
      return "this is a file, or a part of its path is no folder: move it away"
    default:
      return error.description ?? error.message
  }
}
