import { multiaddr } from "@multiformats/multiaddr"
import { Either } from "effect"
import { scopeOf } from "../../domain/peer/AddressScope.ts"
import { addressGroup } from "../../wire/AddressGroup.ts"

/** Where in the Internet a node is: the address that is somebody's own, and the net that it is in. */
export interface Place {
  /** An IPv4 address, or the first 64 bits of an IPv6 address. */
  readonly address: string
  /** 24 bits of an IPv4 address, or 48 of an IPv6 address. */
  readonly prefix: string
}

/** How many peers of one place are dialled, and how many are dialled or connected, at once. */
export interface DialLimits {
  /** A peer that is connected, or is being dialled. */
  readonly take: (places: ReadonlyArray<Place>, isDialling: boolean) => void
  /** Whether one more peer of these places may be dialled. */
  readonly allows: (places: ReadonlyArray<Place>) => boolean
}

/** A net full of nodes, which one operator can well have, neither fills the set nor is flooded by us. */
export const makeDialLimits = (): DialLimits => {
  const dialling = new Map<string, number>()
  const held = new Map<string, number>()
  const isBelow = (counts: ReadonlyMap<string, number>, key: string, most: number): boolean =>
    (counts.get(key) ?? 0) < most
  return {
    take: (places, isDialling) => {
      for (const { address, prefix } of distinct(places)) {
        for (const key of [address, prefix]) {
          held.set(key, (held.get(key) ?? 0) + 1)
          if (isDialling) dialling.set(key, (dialling.get(key) ?? 0) + 1)
        }
      }
    },
    allows: (places) =>
      places.every(
        ({ address, prefix }) =>
          isBelow(dialling, address, diallingPerAddress) &&
          isBelow(dialling, prefix, diallingPerPrefix) &&
          isBelow(held, address, heldPerAddress) &&
          isBelow(held, prefix, heldPerPrefix)
      )
  }
}

const diallingPerAddress = 1
const diallingPerPrefix = 4
const heldPerAddress = 4
const heldPerPrefix = 16

const distinct = (places: ReadonlyArray<Place>): Iterable<Place> =>
  new Map(places.map((place) => [place.address, place])).values()

/**
 * The places of multiaddrs. None for names, and for addresses of private nets and of this machine: whoever dials those
 * knows whose they are.
 */
export const placesOf = (multiaddrs: ReadonlyArray<string>): ReadonlyArray<Place> => [
  ...new Map(
    multiaddrs.flatMap((text) => {
      const address = Either.getOrElse(
        Either.try(() => addressGroup(multiaddr(text))),
        () => ""
      )
      const place = scopeOf(text) === "far" ? placeOf(address) : undefined
      return place === undefined ? [] : [[address, place] as const]
    })
  ).values()
]

const placeOf = (address: string): Place | undefined => {
  const [a, b, c, d] = address.split(".")
  if (a !== undefined && b !== undefined && c !== undefined && d !== undefined) {
    return { address, prefix: `${a}.${b}.${c}.0/24` }
  }
  if (!address.endsWith("::/64")) return undefined
  return { address, prefix: `${address.split(":").slice(0, 3).join(":")}::/48` }
}
