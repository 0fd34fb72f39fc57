import { Clock, Duration, Effect, Option, Ref, Schedule } from "effect"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { digestTable } from "../../domain/network/ForkDigest.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { Doubts } from "../../runtime/Doubts.ts"
import { askNetwork } from "./AskNetwork.ts"
import { type BeaconHttp, jsonType } from "./BeaconHttp.ts"
import { clockOffset } from "./ClockOffset.ts"
import type { Settled } from "./SettleParameters.ts"

/**
 * Keeps an eye on the node whose account of the network we work with, until the scope closes: whether the account is sure,
 * and still the same.
 */
export const watchAccount = Effect.fnUntraced(function* (http: BeaconHttp, account: Settled) {
  const doubts = yield* Doubts
  const named = Effect.annotateLogs({ node: http.name })
  yield* Effect.forEach(account.corrections, (text) => Effect.logWarning(`${http.name}: ${text}`), { discard: true })
  yield* named(doubts.set("beacon_config", account.doubt))

  const isDoubted = yield* Ref.make(Option.isSome(account.doubt))
  const compareAccount = Effect.gen(function* () {
    // As long as it cannot be asked, it says nothing else.
    const now = yield* Effect.option(askNetwork(http))
    const doubt = Option.flatMap(now, ({ chain, doubt }) =>
      Option.orElse(doubt, () => (isSame(chain, account.chain) ? Option.none() : Option.some(changed)))
    )
    if (Option.isNone(now)) return
    yield* Ref.set(isDoubted, Option.isSome(doubt))
    yield* named(doubts.set("beacon_config", doubt))
  })
  const pause = Effect.map(isDoubted, (doubted) => (doubted ? "30 seconds" : "5 minutes"))
  yield* daemon(
    "comparing of the beacon node's account of the network",
    Effect.forever(Effect.zipRight(Effect.flatMap(pause, Effect.sleep), compareAccount))
  )
})

/**
 * Compares the clock of the node that is followed with ours, until the scope closes; they have been compared once when
 * this returns.
 */
export const watchClock = Effect.fnUntraced(function* (followed: Effect.Effect<Option.Option<BeaconHttp>>) {
  const doubts = yield* Doubts
  const offset = yield* Ref.make(0)
  const compareClocks = Effect.gen(function* () {
    const http = Option.getOrUndefined(yield* followed)
    if (http === undefined) return
    const asked = yield* Clock.currentTimeMillis
    const answer = yield* Effect.option(http.get("/eth/v1/node/syncing", jsonType))
    const said = Option.flatMap(Option.flatten(answer), ({ date }) => date)
    if (Option.isNone(said)) return
    const answered = yield* Clock.currentTimeMillis
    const apart = clockOffset({ said: said.value, asked, answered })
    const wasApart = (yield* Ref.getAndSet(offset, apart)) !== 0
    const isApart = Math.abs(apart) >= (wasApart ? endsBelowMs : beginsAtMs)
    if (!isApart) yield* Ref.set(offset, 0)
    yield* doubts
      .set("clock", isApart ? Option.some(describe(apart)) : Option.none(), "beacon node")
      .pipe(Effect.annotateLogs({ node: http.name }))
  })
  yield* compareClocks
  yield* daemon("comparing of the clocks", compareClocks, Schedule.spaced(clockInterval))
})

/** Whole seconds are said, and answers take their time. */
const beginsAtMs = 3_000
const endsBelowMs = 1_500
const clockInterval = Duration.seconds(30)

const describe = (apartMs: number): string =>
  `the clock of this machine is ${Duration.format(Duration.seconds(Math.round(Math.abs(apartMs) / 1000)))} ` +
  `${apartMs > 0 ? "behind" : "ahead of"} that of the beacon node: set the one that is wrong (NTP)`

const changed = "the beacon node's account of the network is no longer the one that dasmon started with: restart dasmon"

/** What is read of them is the same: time, and what follows from forks and blob steps. */
const isSame = (one: ChainParameters, other: ChainParameters): boolean =>
  one.genesisTime === other.genesisTime &&
  one.slotDurationMs === other.slotDurationMs &&
  one.slotsPerEpoch === other.slotsPerEpoch &&
  [...digestTable(one).keys()].join() === [...digestTable(other).keys()].join()
