import { multiaddr } from "@multiformats/multiaddr"

/**
 * Who can mean an address: `far` everyone in the Internet, `near` who is on the same machine or in the same private net
 * only, `nowhere` nobody: unspecified, multicast, broadcast or reserved.
 */
export type AddressScope = "far" | "near" | "nowhere"

/** Of an IP address, 4 or 16 bytes. IPv4 inside of IPv6 (mapped, or by NAT64) is what it is outside. */
export const scopeOfIp = (bytes: Uint8Array): AddressScope =>
  bytes.length === 4 ? scopeOfIp4(bytes) : scopeOfIp6(bytes)

/** Of a multiaddr; one that begins with a name, or cannot be read, is as good as far: what it leads to is not known yet. */
export const scopeOf = (text: string): AddressScope => {
  const [, family] = /^\/ip([46])\//.exec(text) ?? []
  if (family === undefined) return "far"
  try {
    return scopeOfIp(multiaddr(text).bytes.subarray(1, family === "4" ? 5 : 17))
  } catch {
    return "far"
  }
}

/** Those of multiaddrs that everyone can mean. */
export const farOf = (multiaddrs: ReadonlyArray<string>): ReadonlyArray<string> =>
  multiaddrs.filter((address) => scopeOf(address) === "far")

const scopeOfIp4 = ([a = 0, b = 0]: Uint8Array): AddressScope => {
  if (a === 0 || a >= 224) return "nowhere"
  const isNear =
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168)
  return isNear ? "near" : "far"
}

const scopeOfIp6 = (bytes: Uint8Array): AddressScope => {
  const [first = 0, second = 0] = bytes
  if (embedding.some((prefix) => prefix.every((byte, index) => bytes[index] === byte))) {
    return scopeOfIp4(bytes.subarray(12))
  }
  if (bytes.subarray(0, 12).every((byte) => byte === 0)) return isOne(bytes.subarray(12)) ? "near" : "nowhere"
  if (first === 0xff) return "nowhere"
  // Unique local, link-local.
  return (first & 0xfe) === 0xfc || (first === 0xfe && (second & 0xc0) === 0x80) ? "near" : "far"
}

const isOne = ([a, b, c, d]: Uint8Array): boolean => a === 0 && b === 0 && c === 0 && d === 1

/** The first 96 bits: `::ffff:0:0/96`, `64:ff9b::/96`. */
const embedding: ReadonlyArray<ReadonlyArray<number>> = [
  [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
  [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
]
