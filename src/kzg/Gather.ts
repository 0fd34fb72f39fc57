import { Deferred, Duration, Effect, Exit, FiberId, type Scope } from "effect"
import { countWithin, mostCells } from "./Batches.ts"
import type { Column } from "./Column.ts"
import { isGuilty, type SidecarVerdict, skipped, VerifierError } from "./Verifier.ts"
import type { ColumnGroup } from "./VerifyColumns.ts"

/** Puts the columns of several callers into one batch. */
export interface Gather {
  /**
   * One verdict a column. Whoever is interrupted leaves nothing behind that is not at work already; when the scope closes
   * everybody fails.
   */
  readonly verify: (group: ColumnGroup) => Effect.Effect<ReadonlyArray<SidecarVerdict>, VerifierError>
}

export interface GatherOptions {
  /** Batches at work at once. */
  readonly atOnce: number
  /** Waits until a batch may begin, and runs it with what `take` gives then. */
  readonly inTurn: <A>(run: Effect.Effect<A>) => Effect.Effect<A>
  /** One verdict a column, in the order of the groups. */
  readonly run: (groups: ReadonlyArray<ColumnGroup>) => Effect.Effect<ReadonlyArray<SidecarVerdict>, VerifierError>
  /** Of a batch at most; `mostCells` if left out. */
  readonly cells?: number
  /** Whether each batch waits for a turn of its own, so that others get theirs in between. */
  readonly isPatient?: boolean
}

/**
 * What comes while all threads are at work goes into the next batch, and so does what comes within a few milliseconds of
 * the first. Callers are served in their order, and who has more than a batch goes behind the others with the rest. A
 * batch that fails of itself is verified again caller by caller, so that nobody has the failure of another. After that,
 * and after one with guilty columns, batches are smaller for a while: each then costs what it takes to find them.
 */
export const makeGather = Effect.fnUntraced(function* ({
  atOnce,
  cells: most = mostCells,
  inTurn,
  isPatient = false,
  run
}: GatherOptions): Effect.fn.Return<Gather, never, Scope.Scope> {
  const scope = yield* Effect.scope
  /** Those that somebody awaits. */
  const calls = new Set<Call>()
  /** Of them those that are not all at work. */
  const waiting = new Set<Call>()
  let isClosed = false
  let atWork = 0
  const least = Math.min(leastCells, most / 8)
  let cells = most

  const take = (): ReadonlyArray<Portion> => {
    const portions: Array<Portion> = []
    let room = cells
    for (const call of waiting) {
      const count = countWithin(call.columns, call.next, room)
      const columns = call.columns.slice(call.next, call.next + count)
      const size = columns.reduce((sum, { commitments }) => sum + commitments.length, 0)
      if (portions.length > 0 && size > room) break
      portions.push({ call, start: call.next, group: { columns, mostGuilty: call.left } })
      call.next += count
      room -= size
      waiting.delete(call)
      if (call.next < call.columns.length) {
        waiting.add(call)
        break
      }
      if (room <= 0) break
    }
    return portions
  }

  const settle = ({ call, group, start }: Portion, verdicts: ReadonlyArray<SidecarVerdict>) =>
    Effect.suspend(() => {
      for (let at = 0; at < group.columns.length; at++) call.verdicts[start + at] = verdicts[at] ?? skipped
      call.decided += group.columns.length
      call.left -= verdicts.filter(isGuilty).length
      if (call.left <= 0) {
        // Nothing more of it begins; what another thread is at still counts.
        call.decided += call.columns.length - call.next
        call.next = call.columns.length
        waiting.delete(call)
      }
      return call.decided < call.columns.length ? Effect.void : Deferred.succeed(call.done, call.verdicts)
    })

  const runWhole = (groups: ReadonlyArray<ColumnGroup>) => {
    const count = groups.reduce((sum, { columns }) => sum + columns.length, 0)
    // Verdicts are told apart by their places alone: with one too few a caller would have those of another.
    return Effect.filterOrFail(
      run(groups),
      (verdicts) => verdicts.length === count,
      ({ length }) => new VerifierError({ reason: `${length} verdicts on ${count} columns` })
    )
  }

  const runPortions: (portions: ReadonlyArray<Portion>) => Effect.Effect<void> = Effect.fnUntraced(
    function* (portions) {
      const exit = yield* Effect.exit(runWhole(portions.map(({ group }) => group)))
      const isBad = Exit.isFailure(exit) || exit.value.some(isGuilty)
      cells = isBad ? Math.max(least, cells / 4) : Math.min(most, cells * 2)
      if (Exit.isSuccess(exit)) {
        let from = 0
        for (const portion of portions)
          yield* settle(portion, exit.value.slice(from, (from += portion.group.columns.length)))
      } else if (portions.length > 1) {
        const again = (portion: Portion) => Effect.when(runPortions([portion]), () => calls.has(portion.call))
        yield* Effect.forEach(portions, again, { discard: true })
      } else {
        yield* Effect.forEach(portions, ({ call }) => Deferred.failCause(call.done, exit.cause), { discard: true })
        for (const { call } of portions) waiting.delete(call)
      }
    }
  )

  const sizeOf = (): number => {
    let sum = 0
    for (const { columns, next } of waiting) {
      for (let at = next; at < columns.length && sum < cells; at++) sum += columns[at]?.commitments.length ?? 0
    }
    return sum
  }
  /** Gives whether there was anything to do; whoever comes after that starts it again. */
  const step = Effect.suspend(() => {
    if (waiting.size === 0) {
      atWork--
      return Effect.succeed(false)
    }
    const batch = Effect.suspend(() => {
      const portions = take()
      // Another thread has taken them all.
      return portions.length === 0 ? Effect.succeed(true) : Effect.as(runPortions(portions), true)
    })
    // The turn is kept for all that waits by then: those that come last have to wait for it too.
    const batches = isPatient ? batch : Effect.repeat(batch, { while: () => waiting.size > 0 })
    return Effect.zipRight(sizeOf() < cells ? Effect.sleep(gatherTime) : Effect.void, inTurn(batches))
  })
  const work = Effect.repeat(step, { while: (more) => more })
  const stopped = new VerifierError({ reason: "the verifier is stopped" })
  // By now all that was at work is interrupted, and decides on nothing more.
  yield* Effect.addFinalizer(() => {
    isClosed = true
    return Effect.forEach(calls, ({ done }) => Deferred.fail(done, stopped), { discard: true })
  })

  return {
    verify: ({ columns, mostGuilty }) =>
      // An interruption between the entry of a call and the start of the work for it would leave all others waiting.
      Effect.uninterruptibleMask((restore) => {
        if (isClosed) return Effect.fail(stopped)
        if (columns.length === 0 || mostGuilty <= 0) return Effect.succeed(columns.map(() => skipped))
        const call: Call = {
          columns,
          next: 0,
          left: mostGuilty,
          decided: 0,
          verdicts: columns.map(() => skipped),
          done: Deferred.unsafeMake(FiberId.none)
        }
        calls.add(call)
        waiting.add(call)
        const start = atWork < atOnce
        if (start) atWork++
        return (start ? Effect.forkIn(Effect.interruptible(work), scope) : Effect.void).pipe(
          Effect.zipRight(restore(Deferred.await(call.done))),
          Effect.ensuring(
            Effect.sync(() => {
              calls.delete(call)
              waiting.delete(call)
            })
          )
        )
      })
  }
})

interface Call {
  readonly columns: ReadonlyArray<Column>
  /** The first column that is not at work yet. */
  next: number
  /** Guilty ones that may still be found. */
  left: number
  decided: number
  readonly verdicts: Array<SidecarVerdict>
  readonly done: Deferred.Deferred<ReadonlyArray<SidecarVerdict>, VerifierError>
}

/** What of a call is in one batch. */
interface Portion {
  readonly call: Call
  readonly start: number
  readonly group: ColumnGroup
}

/** Of a batch after those that had guilty columns. */
const leastCells = 512
/** Callers that come within it share a batch, also where a thread is free. */
const gatherTime = Duration.millis(3)
