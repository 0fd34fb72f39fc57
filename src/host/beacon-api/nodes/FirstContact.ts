import { Clock, Duration, Effect, Option, Ref, Schedule } from "effect"
import type { NetworkName } from "../../../domain/network/NetworkName.ts"
import { askNetwork } from "../AskNetwork.ts"
import { type BeaconFailure, joined, passing } from "../BeaconFailure.ts"
import type { BeaconHttp } from "../BeaconHttp.ts"
import type { Settled } from "../SettleParameters.ts"
import { firstInOrder } from "./FirstInOrder.ts"

/** The node that told of its network, and what it told. */
export interface Contact {
  readonly account: Settled
  readonly place: number
}

/**
 * Waits for one of the nodes to tell of its network; those before it, in the order of preference, have two seconds more. Says
 * in the log whom it waits for and why: at once and then every minute. `wanted`: the network that it must be of. Fails when
 * each of them answers with what no beacon node would (a wrong address), and after `limit`.
 */
export const firstContact = Effect.fnUntraced(function* (
  nodes: ReadonlyArray<BeaconHttp>,
  wanted: NetworkName | undefined,
  limit: Option.Option<Duration.Duration>
): Effect.fn.Return<Contact, BeaconFailure> {
  const startedAt = yield* Clock.currentTimeMillis
  const toldAt = yield* Ref.make(-Infinity)
  const last = yield* Ref.make(noAnswer(nodes))

  const round = firstInOrder(
    nodes.map((http, place) => Effect.map(asked(http, wanted), (account): Contact => ({ account, place }))),
    patience
  ).pipe(Effect.mapError((failures) => joined(failures, noAnswer(nodes))))
  const tell = Effect.fnUntraced(function* (error: BeaconFailure) {
    yield* Ref.set(last, error)
    const now = yield* Clock.currentTimeMillis
    const before = yield* toldAt
    if (!error.transient || now - before < toldEveryMs) return
    yield* Ref.set(toldAt, now)
    const since =
      before === -Infinity
        ? ""
        : ` (for ${Duration.format(Duration.seconds(Math.round((now - startedAt) / 1000)))} now)`
    yield* Effect.logWarning(`waiting for the beacon node${since}: ${error.message}`)
  })
  const contact = round.pipe(
    Effect.tapError(tell),
    Effect.retry({ schedule: startRetries, while: ({ transient }) => transient })
  )
  return yield* Option.match(limit, {
    onNone: () => contact,
    onSome: (limit) =>
      Effect.flatMap(
        Effect.timeoutOption(contact, limit),
        Option.match({ onSome: Effect.succeed, onNone: () => Effect.flatMap(Ref.get(last), Effect.fail) })
      )
  })
})

/** One that is silent must not keep the others waiting. */
const asked = (http: BeaconHttp, wanted: NetworkName | undefined) =>
  Effect.timeoutFail(askNetwork(http, wanted), {
    duration: askLimit,
    onTimeout: () => passing(http.name, `no answer within ${Duration.format(askLimit)}`)
  })

const patience = Duration.seconds(2)
const askLimit = Duration.seconds(15)
const toldEveryMs = Duration.toMillis("1 minute")

const startRetries = Schedule.exponential("500 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)

const noAnswer = (nodes: ReadonlyArray<BeaconHttp>): BeaconFailure =>
  passing(nodes.map(({ name }) => name).join(" and "), "no answer")
