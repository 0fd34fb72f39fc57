import { Clock, Duration, Effect, Schedule } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import type { ChainParameters } from "../domain/network/Chain.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { Peers } from "../peers/Peers.ts"
import { daemon } from "../runtime/Daemon.ts"
import type { Account, Lacking } from "./Account.ts"
import type { CustodyStore } from "./CustodyStore.ts"
import type { Keeper } from "./KeepColumns.ts"
import { retrieve } from "./Retrieve.ts"

export interface Filling {
  readonly chain: ChainParameters
  readonly account: Account
  readonly keeper: Keeper
  readonly store: CustodyStore["Type"]
  readonly peers: Pick<Peers["Type"], "views" | "ask">
  readonly headSlot: Effect.Effect<Slot>
  /** Whether slots before the first that is kept are filled too. */
  readonly isBackfilling: boolean
}

/**
 * Asks peers for columns of our own that did not come: of young blocks once gossip has had its time, and of the newest block
 * that keeps the claim from reaching further back, one at a time. Whatever is not to be had is tried again later and later.
 */
export const fillGaps = ({ account, chain, headSlot, isBackfilling, keeper, peers, store }: Filling) => {
  const pauseMs = Math.min(longestFirstPauseMs, chain.slotDurationMs)
  const tried = new Map<Root, { readonly times: number; readonly notBefore: number }>()

  const fill = Effect.fnUntraced(function* ({ columns, root, slot }: Lacking, now: number) {
    const times = (tried.get(root)?.times ?? 0) + 1
    setNewest(tried, root, { times, notBefore: now + pauseMs * 2 ** Math.min(times, mostDoublings) }, mostTried)
    const found = yield* retrieve(peers, { root, slot, columns })
    if (found.length > 0) yield* keeper.take(found.map(({ column, fork, ssz }) => ({ column, fork, ssz, root, slot })))
  })

  const pass = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const head = yield* headSlot
    const [oldest] = yield* store.oldest(1)
    const first = isBackfilling ? 0 : (oldest?.slot ?? Infinity)
    const due = account
      .lacking()
      .filter(({ root, slot }) => slot >= first && slot < head && now >= (tried.get(root)?.notBefore ?? 0))
    yield* Effect.forEach(due.slice(0, atOnce), (lacking) => fill(lacking, now), { discard: true })
  }).pipe(
    // The account tells of it.
    Effect.catchTag("CustodyStoreError", ({ message }) => Effect.logDebug(`no gap is filled: ${message}`))
  )
  return daemon("filling of gaps in our own columns", pass, Schedule.spaced(Duration.millis(chain.slotDurationMs / 2)))
}

const atOnce = 2
const mostTried = 256
/** A slot where that is shorter; twice that after the first time, and twice as long each time after that. */
const longestFirstPauseMs = 5_000
const mostDoublings = 6
