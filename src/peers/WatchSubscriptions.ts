import { Array as Arr, Clock, Duration, Effect, Number as Num, Option } from "effect"
import { slotAt } from "../domain/network/Chain.ts"
import { parseColumnTopic } from "../domain/network/ColumnTopic.ts"
import { forkDigestsAround } from "../domain/network/ForkDigest.ts"
import { addFindings, type Finding } from "../domain/peer/Finding.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { Gossip } from "../host/Gossip.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { withFindings } from "./PeerState.ts"

/**
 * On which column topics a peer says it is, kept as a fact; and where those are not all that it owes, for minutes on
 * end, a finding. A node gets its columns by these topics, so that one that stays away from them can only have been given
 * them later. A peer that is on no column topic says nothing by that: it may be starting, or syncing.
 */
export const makeWatchSubscriptions = Effect.fnUntraced(function* (journal: PeerJournal) {
  const gossip = yield* Effect.serviceOption(Gossip)
  const { chain } = yield* Externs
  const history = yield* History
  const { peerId } = journal.state().address
  /** Unix milliseconds. */
  let lackingSince = Option.none<number>()
  let isTold = false

  return Effect.gen(function* () {
    if (Option.isNone(gossip)) return
    const now = yield* Clock.currentTimeMillis
    const slot = slotAt(chain, now)
    const digests = forkDigestsAround(chain, slot)
    const columns = columnsOfTopics(gossip.value.columnTopicsOf(peerId), digests)
    const { claims } = journal.state()
    const owed = Option.match(claims, { onNone: () => [], onSome: ({ current }) => current.columns })
    const lacking = Arr.difference(owed, columns)
    // Near a step of the digest peers move their topics, each at its own time; one that is behind is on none yet, or on few.
    const isBehind = Option.exists(claims, ({ current }) => current.headSlot < slot - chain.slotsPerEpoch)
    const isLacking = lacking.length > 0 && columns.length > 0 && digests.length === 1 && !isBehind
    lackingSince = isLacking ? Option.orElse(lackingSince, () => Option.some(now)) : Option.none()
    const isLong = Option.exists(lackingSince, (since) => now - since >= Duration.toMillis(patience))
    const findings = isLong && !isTold ? [notSubscribed(lacking, owed)] : []
    isTold = isLong
    const subscribed = Option.liftPredicate(columns, Arr.isNonEmptyReadonlyArray)
    const isSame = sameColumns(
      Option.getOrElse(journal.state().subscribed, () => []),
      columns
    )
    if (isSame && findings.length === 0) return
    yield* journal.enter({ change: (state) => withFindings({ ...state, subscribed }, findings) })
    if (findings.length > 0) yield* history.recordFindings(peerId, addFindings({}, findings))
  })
})

/** The columns of gossip topics under one of these digests, ascending, each once. */
export const columnsOfTopics = (topics: ReadonlyArray<string>, digests: ReadonlyArray<string>): ReadonlyArray<number> =>
  Arr.sort(
    Arr.dedupe(
      Arr.filterMap(topics, (topic) =>
        Option.flatMap(parseColumnTopic(topic), ({ column, forkDigest }) =>
          digests.includes(forkDigest) ? Option.some(column) : Option.none()
        )
      )
    ),
    Num.Order
  )

const sameColumns = Arr.getEquivalence(Num.Equivalence)

const notSubscribed = (lacking: ReadonlyArray<number>, owed: ReadonlyArray<number>): Finding => ({
  kind: "columns_not_subscribed",
  detail: `for ${Duration.format(patience)} it was on the gossip topics of ${owed.length - lacking.length} of the ${owed.length} columns that it owes, and not of ${lacking.slice(0, 8).join(", ")}${lacking.length > 8 ? ", …" : ""}`
})

/** Longer than clients take to join what they have come to owe, and to sync a few slots. */
const patience = Duration.minutes(10)
