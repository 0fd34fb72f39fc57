import { type Duration, Effect, Metric, Option, type Scope } from "effect"
import { xatuDropped, xatuQueueDepth } from "../../domain/metrics/Metrics.ts"
import { daemon } from "../../runtime/Daemon.ts"
import type { Frame } from "../event/Codec.ts"
import type { Segment, SpillFolder } from "./SpillFolder.ts"

export interface BacklogOptions {
  /** Events in memory, at most, beside those that are being sent. */
  readonly capacity: number
  /** So many events are sent without waiting for more. */
  readonly batchSize: number
  /** Fewer wait so long for more. */
  readonly flushInterval: Duration.Duration
}

/** What waits to be sent, oldest first: in memory, and on disk what the memory has no room for. */
export interface Backlog {
  /** Queues at once. With no room left the oldest goes. */
  readonly offer: (frame: Frame) => void
  readonly isFull: () => boolean
  /** Returns when there is room, and at once when there is no hope of it. Never waits long. */
  readonly room: Effect.Effect<void>
  /** Returns when there is something to send, and enough of it or old enough. */
  readonly ready: Effect.Effect<void>
  /** The oldest ones, at most `count`. They are given again until they are settled. */
  readonly take: (count: number) => Effect.Effect<ReadonlyArray<Frame>>
  /** These were delivered, or given up. */
  readonly settle: (frames: ReadonlyArray<Frame>) => Effect.Effect<void>
  /** Sends what there is without waiting for more, and returns when all is settled. */
  readonly drain: Effect.Effect<void>
  readonly showDepth: Effect.Effect<void>
}

/** Closing the scope writes everything that waits to the folder. */
export const makeBacklog = (
  spill: SpillFolder,
  { batchSize, capacity, flushInterval }: BacklogOptions
): Effect.Effect<Backlog, never, Scope.Scope> =>
  Effect.gen(function* () {
    /** What is being sent, oldest first. All that waits on disk is younger, and all in memory younger than that. */
    let sources: Array<Source> = []
    let memory: Array<Frame> = []
    /** Being written to disk. */
    let moving = 0
    /** Dropped since that was last told. */
    let dropped = 0
    const { withPermits } = yield* Effect.makeSemaphore(1)
    /** Moves things between memory, disk and what is being sent, one at a time. */
    const exclusive = <A, E>(effect: Effect.Effect<A, E>) => Effect.uninterruptible(withPermits(1)(effect))
    const some = yield* Effect.makeLatch(false)
    const enough = yield* Effect.makeLatch(false)
    const tooMany = yield* Effect.makeLatch(false)
    const none = yield* Effect.makeLatch(true)
    const roomy = yield* Effect.makeLatch(true)
    let isDiskStuck = false
    let draining = false

    const sending = () => sources.reduce((sum, { frames }) => sum + frames.size, 0)
    const isHalfFull = () => spill.enabled && memory.length >= capacity / 2
    const isFull = () => memory.length + moving >= capacity
    const signal = () => {
      const onDisk = spill.waits()
      const inMemory = memory.length + moving
      const isEmpty = sources.length === 0 && inMemory === 0 && !onDisk
      open(some, !isEmpty)
      open(none, isEmpty)
      open(roomy, !isFull())
      open(enough, draining || onDisk || sources.length > 0 || inMemory >= batchSize)
      open(tooMany, isHalfFull() || dropped > 0)
    }
    yield* Effect.sync(signal)

    const showDepth = Effect.suspend(() => Metric.set(xatuQueueDepth, memory.length + moving + sending()))

    const tellDropped = (why: string) =>
      Effect.suspend(() => {
        const count = dropped
        dropped = 0
        if (count === 0) return Effect.void
        return Effect.zipRight(
          Metric.incrementBy(xatuDropped, count),
          Effect.logWarning(`xatu: dropped the ${count} oldest events that waited to be sent: ${why}`)
        )
      })

    /** Half of what the memory holds goes to disk, the older half. */
    const move = exclusive(
      Effect.gen(function* () {
        yield* tellDropped("they came faster than they could be sent or written to disk")
        const half = isHalfFull() ? memory.slice(0, Math.ceil(memory.length / 2)) : []
        memory = memory.slice(half.length)
        moving = half.length
        const keep = Effect.sync(() => void (memory = [...half, ...memory]))
        const lost = yield* Effect.onError(spill.append(half), () => keep).pipe(
          Effect.ensuring(Effect.sync(() => void (moving = 0)))
        )
        dropped += lost
        isDiskStuck = false
        yield* tellDropped("there is no room for more on disk (xatu.spill_limit_mib)")
        signal()
        yield* showDepth
      })
    )
    yield* daemon("spilling of what waits for Xatu", Effect.forever(Effect.zipRight(tooMany.await, move)))

    yield* Effect.addFinalizer(() =>
      exclusive(
        Effect.gen(function* () {
          for (const { frames, number, segment } of sources) {
            const lost = yield* spill.putBack(number, [...frames], segment)
            dropped += lost
          }
          const lost = yield* spill.append(memory)
          dropped += lost
          const kept = sending() + memory.length
          sources = []
          memory = []
          yield* tellDropped("there was no room for more on disk when the program ended (xatu.spill_limit_mib)")
          if (kept > 0) yield* Effect.logInfo(`xatu: ${kept} events still waited to be sent when the program ended`)
          yield* showDepth
        })
      )
    )

    return {
      offer: (frame) => {
        if (isFull()) {
          memory.shift()
          dropped++
        }
        memory.push(frame)
        signal()
      },
      isFull,
      room: Effect.suspend(() =>
        spill.enabled && !isDiskStuck
          ? Effect.map(Effect.timeoutOption(roomy.await, patience), (inTime) => {
              isDiskStuck = Option.isNone(inTime)
            })
          : Effect.void
      ),
      ready: some.await.pipe(Effect.zipRight(Effect.timeoutOption(enough.await, flushInterval))),
      take: (count) =>
        exclusive(
          Effect.gen(function* () {
            while (sending() < count) {
              const loaded = yield* spill.load
              if (loaded !== undefined) {
                const { frames, segment } = loaded
                if (frames.length === 0) yield* spill.putAway(segment)
                else sources = [...sources, { number: segment.number, segment, frames: new Set(frames) }]
                continue
              }
              const frames = memory.splice(0, count - sending())
              if (frames.length === 0) break
              sources = [...sources, { number: spill.nextNumber(), segment: undefined, frames: new Set(frames) }]
            }
            signal()
            return sources.flatMap(({ frames }) => [...frames]).slice(0, count)
          })
        ),
      settle: (frames) =>
        exclusive(
          Effect.gen(function* () {
            for (const { frames: own } of sources) for (const frame of frames) own.delete(frame)
            const done = sources.filter((source) => source.frames.size === 0)
            sources = sources.filter((source) => source.frames.size > 0)
            for (const { segment } of done) if (segment !== undefined) yield* spill.putAway(segment)
            signal()
            yield* showDepth
          })
        ),
      drain: Effect.suspend(() => {
        draining = true
        signal()
        return none.await
      }),
      showDepth
    }
  })

/** With a disk. Meanwhile the bus keeps what happens. */
const patience = "2 seconds"

/** Events of one file, or of the memory, that are being sent. */
interface Source {
  readonly number: number
  readonly segment: Segment | undefined
  readonly frames: Set<Frame>
}

const open = (latch: Effect.Latch, isOpen: boolean): void => {
  if (isOpen) latch.unsafeOpen()
  else latch.unsafeClose()
}
