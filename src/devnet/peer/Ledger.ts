import { Clock, Effect, Ref, Schema } from "effect"

/** One thing that a peer of the devnet did to a remote peer. */
const Sanction = Schema.Struct({
  /** Unix milliseconds. */
  at: Schema.Number,
  /** Of the remote. */
  peerId: Schema.String,
  kind: Schema.Literal("strike", "ban", "goodbye"),
  /** Of a Goodbye. */
  code: Schema.optional(Schema.Int),
  reason: Schema.String
})
type Sanction = typeof Sanction.Type

/** All that a peer of the devnet did to others, and how often it did what else is of interest. */
export const Account = Schema.Struct({
  /** The newest thousand, oldest first. */
  sanctions: Schema.Array(Sanction),
  counts: Schema.Record({ key: Schema.String, value: Schema.Int })
})
export type Account = typeof Account.Type

/** What a peer of the devnet remembers of what it did to others. Whom it has banned it never takes back. */
export interface Ledger {
  /** Gives how many strikes the remote has with it. */
  readonly strike: (peerId: string, reason: string) => Effect.Effect<number>
  readonly ban: (peerId: string, reason: string) => Effect.Effect<void>
  readonly isBanned: (peerId: string) => Effect.Effect<boolean>
  readonly goodbye: (peerId: string, code: number, reason: string) => Effect.Effect<void>
  readonly count: (what: string) => Effect.Effect<void>
  readonly account: Effect.Effect<Account>
}

export const makeLedger: Effect.Effect<Ledger> = Effect.gen(function* () {
  const sanctions = yield* Ref.make<ReadonlyArray<Sanction>>([])
  const counts = yield* Ref.make<Readonly<Record<string, number>>>({})
  const banned = new Set<string>()
  const strikes = new Map<string, Strikes>()
  const note = (sanction: Omit<Sanction, "at">) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) =>
      Ref.update(sanctions, (before) => [...before.slice(1 - maxSanctions), { at, ...sanction }])
    )
  return {
    strike: (peerId, reason) =>
      Effect.gen(function* () {
        yield* note({ peerId, kind: "strike", reason })
        const now = yield* Clock.currentTimeMillis
        const count = strikesLeft(strikes.get(peerId), now) + 1
        strikes.set(peerId, { count, since: now })
        return count
      }),
    ban: (peerId, reason) =>
      Effect.suspend(() => {
        if (banned.has(peerId)) return Effect.void
        banned.add(peerId)
        return note({ peerId, kind: "ban", reason })
      }),
    isBanned: (peerId) => Effect.sync(() => banned.has(peerId)),
    goodbye: (peerId, code, reason) => note({ peerId, kind: "goodbye", code, reason }),
    count: (what) => Ref.update(counts, (before) => ({ ...before, [what]: (before[what] ?? 0) + 1 })),
    account: Effect.all({ sanctions: Ref.get(sanctions), counts: Ref.get(counts) })
  }
})

const maxSanctions = 1000

interface Strikes {
  readonly count: number
  /** Unix milliseconds of the last one. */
  readonly since: number
}

/** One is forgotten in an hour. */
const strikesLeft = (strikes: Strikes | undefined, now: number): number =>
  strikes === undefined ? 0 : Math.max(0, strikes.count - Math.floor((now - strikes.since) / 3_600_000))
