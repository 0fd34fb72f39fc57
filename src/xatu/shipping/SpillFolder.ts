import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Metric } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { xatuSpilledBytes } from "../../domain/metrics/Metrics.ts"
import { type Frame, readFrames } from "../event/Codec.ts"
import { XatuError } from "../XatuError.ts"

/** A file of events; the number is its place in the order of age. */
export interface Segment {
  readonly number: number
  /** Events in it. */
  readonly count: number
  readonly path: string
  readonly bytes: number
}

/**
 * Events that wait on disk, in files that are written once: each a CreateEventsRequest as protobuf. What the folder has
 * no room for is dropped, the oldest first. Calls must not overlap.
 */
export interface SpillFolder {
  /** Whether anything may be written. */
  readonly enabled: boolean
  /** A place in the order of age behind all that were given before. */
  readonly nextNumber: () => number
  /** Whether files wait that were not loaded. */
  readonly waits: () => boolean
  /** Events in those files. */
  readonly waiting: () => number
  /** Appends events behind all others; how many had to be dropped for it, older ones included. */
  readonly append: (frames: ReadonlyArray<Frame>) => Effect.Effect<number>
  /** The oldest file and its events. It stays on disk until it is put away. */
  readonly load: Effect.Effect<{ readonly segment: Segment; readonly frames: ReadonlyArray<Frame> } | undefined>
  /** Writes events at a certain place, in the stead of the file that was loaded from there; how many were dropped. */
  readonly putBack: (number: number, frames: ReadonlyArray<Frame>, loaded: Segment | undefined) => Effect.Effect<number>
  /** Deletes a file that was loaded. */
  readonly putAway: (segment: Segment) => Effect.Effect<void>
}

/** Makes the folder if it is not there. `limit` in bytes; 0 keeps nothing on disk. */
export const openSpillFolder = Effect.fn("SpillFolder.open")(function* (folder: string, limit: number) {
  const fs = yield* FileSystem.FileSystem
  const files = limit === 0 ? [] : yield* readFolder(fs, folder)
  let waitingSegments: Array<Segment> = files
  let used = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let next = (files.at(-1)?.number ?? 0) + 1
  const showUsed = Effect.suspend(() => Metric.set(xatuSpilledBytes, used))
  yield* showUsed

  const remove = (segment: Segment) =>
    fs.remove(segment.path).pipe(
      Effect.catchAll((error) => Effect.logWarning(`xatu: ${segment.path} cannot be deleted: ${error.message}`)),
      Effect.zipRight(Effect.sync(() => void (used -= segment.bytes)))
    )

  /** Deletes the oldest files until there is room; how many events were in them. */
  const makeRoom = Effect.fnUntraced(function* (bytes: number) {
    let dropped = 0
    for (const oldest of waitingSegments) {
      if (used + bytes <= limit) break
      waitingSegments = waitingSegments.slice(1)
      yield* remove(oldest)
      dropped += oldest.count
    }
    return dropped
  })

  const write = Effect.fnUntraced(function* (number: number, frames: ReadonlyArray<Frame>) {
    const content = concatBytes(frames)
    const path = join(folder, fileName(number, frames.length))
    const written = yield* fs.writeFile(path, content, { flag: "w", mode: 0o600 }).pipe(
      Effect.as(true),
      Effect.catchAll((error) =>
        Effect.logError(`xatu: ${frames.length} events are lost: ${path} cannot be written: ${error.message}`).pipe(
          Effect.zipRight(Effect.ignore(fs.remove(path))),
          Effect.as(false)
        )
      )
    )
    if (!written) return undefined
    used += content.length
    return { number, count: frames.length, path, bytes: content.length } satisfies Segment
  })

  const appendOne = Effect.fnUntraced(function* (frames: ReadonlyArray<Frame>) {
    const bytes = bytesOf(frames)
    const dropped = yield* makeRoom(bytes)
    if (used + bytes > limit) return dropped + frames.length
    const segment = yield* write(next++, frames)
    if (segment === undefined) return dropped + frames.length
    waitingSegments = [...waitingSegments, segment]
    return dropped
  })

  const loadNext = Effect.gen(function* () {
    const [segment, ...rest] = waitingSegments
    if (segment === undefined) return undefined
    waitingSegments = rest
    const content = yield* fs
      .readFile(segment.path)
      .pipe(
        Effect.catchAll((error) =>
          Effect.as(
            Effect.logError(`xatu: ${segment.count} events are lost: ${segment.path} cannot be read: ${error.message}`),
            new Uint8Array()
          )
        )
      )
    const frames = readFrames(content)
    if (frames.length < segment.count) {
      yield* Effect.logWarning(
        `xatu: ${segment.path} holds ${frames.length} of ${segment.count} events: the program was stopped while it was written`
      )
    }
    return { segment, frames }
  })

  const spill: SpillFolder = {
    enabled: limit > 0,
    nextNumber: () => next++,
    waits: () => waitingSegments.length > 0,
    waiting: () => waitingSegments.reduce((sum, { count }) => sum + count, 0),
    append: (frames) =>
      Effect.forEach(chunksOf(frames), appendOne).pipe(
        Effect.map((dropped) => dropped.reduce((sum, one) => sum + one, 0)),
        Effect.ensuring(showUsed)
      ),
    load: loadNext,
    putBack: (number, frames, loaded) =>
      Effect.gen(function* () {
        if (loaded !== undefined && loaded.count === frames.length) return 0
        if (limit === 0) return frames.length
        // The rest of a file is shorter than the file, and of a bit over the limit nobody suffers.
        const segment = yield* write(number, frames)
        if (loaded !== undefined) yield* remove(loaded)
        return segment === undefined ? frames.length : 0
      }).pipe(Effect.ensuring(showUsed)),
    putAway: (segment) => Effect.ensuring(remove(segment), showUsed)
  }
  return spill
})

const readFolder = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, folder: string) {
  const refuse = (error: PlatformError) =>
    new XatuError({ reason: `the folder ${folder} cannot be used (xatu.spill_folder): ${error.message}` })
  yield* Effect.mapError(fs.makeDirectory(folder, { recursive: true, mode: 0o700 }), refuse)
  const names = yield* Effect.mapError(fs.readDirectory(folder), refuse)
  const segments = yield* Effect.forEach(names, (name) =>
    Effect.gen(function* () {
      const [, number, count] = nameForm.exec(name) ?? []
      if (number === undefined || count === undefined) return []
      const path = join(folder, name)
      const { size } = yield* fs.stat(path)
      return [{ number: Number(number), count: Number(count), path, bytes: Number(size) }]
    }).pipe(Effect.mapError(refuse))
  )
  return segments.flat().sort((a, b) => a.number - b.number)
})

const fileName = (number: number, count: number): string => `${String(number).padStart(12, "0")}-${count}.events`
const nameForm = /^(\d{12})-(\d{1,9})\.events$/

/** Small enough to be read at once and to be dropped alone. */
const segmentBytes = 2 ** 20

const bytesOf = (frames: ReadonlyArray<Frame>): number => frames.reduce((sum, { length }) => sum + length, 0)

const chunksOf = (frames: ReadonlyArray<Frame>): ReadonlyArray<ReadonlyArray<Frame>> => {
  const chunks: Array<Array<Frame>> = []
  let bytes = Infinity
  for (const frame of frames) {
    bytes += frame.length
    if (bytes > segmentBytes) {
      chunks.push([])
      bytes = frame.length
    }
    chunks.at(-1)?.push(frame)
  }
  return chunks
}
