import { setNewest } from "../../domain/Bounded.ts"
import { type Place, placesOf } from "./DialLimits.ts"

/**
 * How long an address is left alone at which nobody was reached, whoever is said to be there: any number of nodes may
 * claim the same one. Not for long, so that no one can keep us from a node by claiming its address. A host of which many
 * addresses came to nothing is left alone as one: it has as many as there are ports, and someone may want it to hear from us.
 */
export interface AddressBackOff {
  readonly failed: (addresses: ReadonlyArray<string>, now: number) => void
  readonly reached: (addresses: ReadonlyArray<string>) => void
  /** Those that may be dialled. */
  readonly free: (addresses: ReadonlyArray<string>, now: number) => ReadonlyArray<string>
  /** Whether one of these hosts is left alone. */
  readonly isVain: (places: ReadonlyArray<Place>, now: number) => boolean
}

export const makeAddressBackOff = (): AddressBackOff => {
  const known = new Map<string, Failing>()
  const hosts = new Map<string, Failing>()
  const count = (all: Map<string, Failing>, key: string, now: number, borne: number): void => {
    const failures = (all.get(key)?.failures ?? 0) + 1
    const wait = failures <= borne ? 0 : Math.min(longestMs, firstMs * 2 ** (failures - borne - 1))
    setNewest(all, key, { failures, until: now + wait }, mostAddresses)
  }
  return {
    failed: (addresses, now) => {
      for (const address of addresses) count(known, address, now, 0)
      for (const { address } of placesOf(addresses)) count(hosts, address, now, borneOfHost)
    },
    reached: (addresses) => {
      for (const address of addresses) known.delete(address)
      for (const { address } of placesOf(addresses)) hosts.delete(address)
    },
    isVain: (places, now) => places.some(({ address }) => (hosts.get(address)?.until ?? 0) > now),
    free: (addresses, now) =>
      known.size === 0 ? addresses : addresses.filter((address) => (known.get(address)?.until ?? 0) <= now)
  }
}

interface Failing {
  readonly failures: number
  readonly until: number
}

/** Visits to one host that may come to nothing before it is left alone: some have many nodes, and move them. */
const borneOfHost = 8
const firstMs = 60_000
const longestMs = 30 * 60_000
const mostAddresses = 20_000
