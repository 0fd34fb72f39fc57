import type { Multiaddr } from "@multiformats/multiaddr"
import { Clock, Duration, Effect } from "effect"
import { setNewest } from "../../domain/Bounded.ts"
import { transportOf } from "../../domain/peer/Transport.ts"

/** In which order the addresses of a peer are tried, by what became of them before. */
export interface DialOrder {
  /** QUIC before TCP, and in the order in which they were given; those where nothing was reached lately come last. */
  readonly sort: (addresses: ReadonlyArray<Multiaddr>) => Effect.Effect<Array<Multiaddr>>
  /** A peer was reached at `reached`, after those of `tried` that stand before it; or at none of them. */
  readonly note: (tried: ReadonlyArray<Multiaddr>, reached?: Multiaddr) => Effect.Effect<void>
}

/**
 * Where UDP does not get through, each dial would wait for it in vain: so what did not answer is remembered, for ten
 * minutes, of 16,384 addresses at most. Addresses are told apart with their `/p2p/…`.
 */
export const makeDialOrder = (): DialOrder => {
  /** Milliseconds of its last failure, by address. */
  const failures = new Map<string, number>()

  return {
    sort: (addresses) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const place = (address: Multiaddr): number => {
          const text = address.toString()
          const isFailing = now - (failures.get(text) ?? -Infinity) < Duration.toMillis(remembered)
          return (isFailing ? 2 : 0) + (transportOf(text) === "quic" ? 0 : 1)
        }
        return addresses.toSorted((a, b) => place(a) - place(b))
      }),
    note: (tried, reached) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const texts = tried.map(String)
        const failed = reached === undefined ? texts : texts.slice(0, placeOf(texts, reached.toString()))
        for (const text of failed) setNewest(failures, text, now, most)
        const there = reached === undefined ? undefined : texts[failed.length]
        if (there !== undefined) failures.delete(there)
      })
  }
}

/** Where a name was dialled, a connection has an address: then it is the first of that transport. */
const placeOf = (tried: ReadonlyArray<string>, reached: string): number => {
  const place = tried.indexOf(reached)
  if (place >= 0) return place
  const transport = transportOf(reached)
  return Math.max(
    0,
    tried.findIndex((address) => transportOf(address) === transport)
  )
}

const remembered = Duration.minutes(10)
const most = 16_384
