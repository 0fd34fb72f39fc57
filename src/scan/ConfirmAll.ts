import { Clock, Duration, Effect, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { countSuspicions, type SuspectedSlot } from "../domain/peer/Suspicions.ts"
import { blameOf } from "../domain/probe/Outcome.ts"
import type { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { jobOf } from "../peers/ChooseJob.ts"
import { makeNextConfirmation } from "../peers/NextConfirmation.ts"
import { finalityFor } from "../probe/Finality.ts"
import { SelfDoubt } from "../probe/SelfDoubt.ts"
import { untilAfforded } from "./Affordable.ts"
import type { Questions } from "./Questions.ts"
import type { Subject } from "./Subject.ts"

/** Slots for which a peer was found out: beyond these, more of the same says nothing new. */
const enoughBlamed = 8
/** Questions in vain about one slot. */
const mostAttempts = 2
/** However often a peer, or the chain, changes meanwhile. */
const mostRounds = 256

/**
 * The conversations that settle what is suspected, as the monitor has them: what is due, and final to both, at the pace
 * that the peer's client allows, until all of it is settled, or nothing more can be within the time.
 */
export const makeConfirmAll = Effect.gen(function* () {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const selfDoubt = yield* SelfDoubt
  const context = yield* Effect.context<CommitmentCache | Externs | History | SelfDoubt>()

  return Effect.fn("Scan.confirmAll")(function* (subject: Subject, questions: Questions) {
    const { deadline, journal, log, options, tell } = subject
    const { peerId } = subject.address
    const nextConfirmation = yield* makeNextConfirmation(journal, options.confirmAfter)
    /** What another question may still settle. */
    const open = () => [...journal.state().suspicions.values()].filter(isOpen)
    const isOpen = ({ attempts, columns, slot }: SuspectedSlot): boolean =>
      attempts === 0 || (attempts < mostAttempts && !columns.every(({ column }) => questions.isReserved(slot, column)))

    /** Milliseconds until something that can be settled is due; none if that is never, or too late. */
    const untilDue = Effect.gen(function* () {
      const { claims } = journal.state()
      if (Option.isNone(claims)) return Option.none<number>()
      const { upTo } = yield* finalityFor(chain, commitments, claims.value.current)
      const now = yield* Clock.currentTimeMillis
      const dueAt = open().reduce((least, one) => (one.slot > upTo ? least : Math.min(least, one.askAgainAt)), Infinity)
      return dueAt + Duration.toMillis(lastQuestion) > deadline ? Option.none() : Option.some(Math.max(0, dueAt - now))
    })

    /** None once it is too late for another question. */
    const affordable = (due: ReadonlyArray<SuspectedSlot>) =>
      untilAfforded((now) => {
        const confirms = questions.budget.confirming(due, now)
        const isOver = confirms.length > 0 || now + Duration.toMillis(lastQuestion) > deadline
        return isOver ? Option.some(confirms) : Option.none()
      })

    for (let round = 0; round < mostRounds && open().length > 0 && blamedSlots(subject) < enoughBlamed; round++) {
      const wait = yield* untilDue
      if (Option.isNone(wait)) break
      if (wait.value > 0) {
        const detail = `${countSuspicions(journal.state().suspicions)} open, asked again in ${Math.ceil(wait.value / 1000)} s`
        yield* tell({ stage: "resting", detail })
        yield* Effect.sleep(wait.value)
      }
      const { claims } = journal.state()
      if (Option.isNone(claims)) break
      // Where the chain cannot be asked, nothing is settled.
      const due = yield* Effect.orElseSucceed(nextConfirmation(claims.value), (): ReadonlyArray<SuspectedSlot> => [])
      const doubt = yield* selfDoubt.reason
      if (due.length === 0) {
        if (Option.isSome(doubt)) log.notes.push(`nobody is accused now: ${doubt.value}`)
        if (Option.isSome(doubt) || Option.contains(yield* untilDue, 0)) break
        continue
      }
      const confirms = yield* affordable(due)
      const job = jobOf(peerId, confirms)
      if (Option.isNone(job)) break
      yield* tell({ stage: "confirming", detail: `slot ${job.value.startSlot}, ${open().length} open` })
      if (!(yield* questions.ask(job.value, confirms))) break
    }
  }, Effect.provide(context))
})

/** A question is begun only if there is so much time left. */
const lastQuestion = Duration.seconds(5)

const blamedSlots = ({ log }: Subject): number =>
  new Set(
    log.results.flatMap(({ probe }) =>
      probe.outcomes.flatMap(({ outcome, slot }) => (blameOf[outcome] === "peer" ? [slot] : []))
    )
  ).size
