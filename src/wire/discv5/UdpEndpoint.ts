import { isIPv4 } from "node:net"
import { multiaddr } from "@multiformats/multiaddr"

/** A UDP socket, or where others see it. */
export interface UdpEndpoint {
  /** An IP address. */
  readonly host: string
  readonly port: number
}

export const familyOf = (host: string): 4 | 6 => (isIPv4(host) ? 4 : 6)

/** 4 or 16 bytes. */
export const ipBytes = (host: string): Uint8Array => multiaddr(`/ip${familyOf(host)}/${host}`).bytes.subarray(1)
