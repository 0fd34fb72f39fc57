import type { Multiaddr } from "@multiformats/multiaddr"
import { scopeOf } from "../domain/peer/AddressScope.ts"

/**
 * Whom an address belongs to, as far as limits go: an IPv4 address, also where it is mapped into IPv6, or the 64 bits of
 * an IPv6 address that one host commonly has to itself. Addresses without either are one group.
 */
export const addressGroup = (address: Pick<Multiaddr, "getComponents">): string => {
  for (const { name, value } of address.getComponents()) {
    if ((name === "ip4" || name === "ip6") && value !== undefined) return groupOfIp(value)
  }
  return noAddress
}

/**
 * The same; `undefined` without an IP address, and for one of a private net or of this machine, which may be a proxy's:
 * anybody is behind it.
 */
export const hostOf = (address: Multiaddr): string | undefined => {
  const group = addressGroup(address)
  return group === noAddress || scopeOf(address.toString()) !== "far" ? undefined : group
}

/** The same of an IP address as text; the zone of an IPv6 address (`%…`) is left out. */
export const groupOfIp = (address: string): string =>
  address.includes(":") ? groupOfIp6(address.split("%")[0] ?? address) : address

const groupOfIp6 = (address: string): string => {
  if (!URL.canParse(`http://[${address}]/`)) return address
  // As the URL standard writes it: hexadecimal groups only, and `::` for a run of zeros.
  const [head = "", tail = ""] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::")
  const first = head.split(":").filter(isText)
  const last = tail.split(":").filter(isText)
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0")
  const groups = [...first, ...zeros, ...last]
  if (groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff") return groups.slice(6).flatMap(twoBytes).join(".")
  return `${groups.slice(0, 4).join(":")}::/64`
}

const noAddress = "no IP address"

const isText = (text: string): boolean => text !== ""

const twoBytes = (group: string): ReadonlyArray<number> => {
  const value = Number.parseInt(group, 16)
  return [value >> 8, value & 255]
}
