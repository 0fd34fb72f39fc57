import { setNewest } from "../../domain/Bounded.ts"

/**
 * How long an address is left alone at which nobody was reached, whoever is said to be there: any number of nodes may
 * claim the same one. Not for long, so that no one can keep us from a node by claiming its address.
 */
export interface AddressBackOff {
  readonly failed: (addresses: ReadonlyArray<string>, now: number) => void
  readonly reached: (addresses: ReadonlyArray<string>) => void
  /** Those that may be dialled. */
  readonly free: (addresses: ReadonlyArray<string>, now: number) => ReadonlyArray<string>
}

export const makeAddressBackOff = (): AddressBackOff => {
  const known = new Map<string, { readonly failures: number; readonly until: number }>()
  return {
    failed: (addresses, now) => {
      for (const address of addresses) {
        const failures = (known.get(address)?.failures ?? 0) + 1
        const wait = Math.min(longestMs, firstMs * 2 ** (failures - 1))
        setNewest(known, address, { failures, until: now + wait }, mostAddresses)
      }
    },
    reached: (addresses) => {
      for (const address of addresses) known.delete(address)
    },
    free: (addresses, now) =>
      known.size === 0 ? addresses : addresses.filter((address) => (known.get(address)?.until ?? 0) <= now)
  }
}

const firstMs = 60_000
const longestMs = 30 * 60_000
const mostAddresses = 20_000
