import { isIPv4, isIPv6 } from "node:net"
import { Schema } from "effect"
import { expected } from "../Show.ts"
import { listOf, repetitions } from "../Values.ts"

/** What is wrong with an address to listen on; `undefined` if nothing is. */
const faultOf = (text: string): string | undefined => {
  const [, family = "", host = "", transport = "", port = "", more = ""] =
    /^\/(ip4|ip6)\/([^/]{1,64})\/([a-z0-9-]{1,20})\/(\d{1,9})(\/.*)?$/i.exec(text) ?? []
  if (family === "") return ""
  if (!(family.toLowerCase() === "ip4" ? isIPv4(host) : isIPv6(host))) return `${host} is no ${family} address`
  const end = endings[transport.toLowerCase()]
  if (end === undefined) return `only tcp, and udp with quic-v1, are listened on, not ${transport}`
  if (Number(port) > 65535) return `there is no port ${port}`
  if (more.toLowerCase() === end) return undefined
  return end === "" ? "it ends behind the port" : `it ends in ${end} behind the port`
}

/** What stands behind the port. */
const endings: Readonly<Record<string, string>> = { tcp: "", udp: "/quic-v1" }

/** An address of libp2p, of TCP or QUIC, without a peer id. */
const ListenMultiaddr = Schema.String.pipe(
  Schema.filter((text) => faultOf(text) === undefined),
  Schema.annotations(
    expected("a multiaddr to listen on, like /ip4/0.0.0.0/tcp/9000 or /ip4/0.0.0.0/udp/9001/quic-v1", (actual) => {
      const fault = typeof actual === "string" ? faultOf(actual) : undefined
      return fault === "" ? undefined : fault
    })
  )
)

/** Where our libp2p node listens, each once; a port 0 is another one each time. */
export const ListenMultiaddrs = listOf(ListenMultiaddr, "multiaddrs").pipe(
  Schema.filter((addresses) => {
    if (addresses.length > most) return `${addresses.length} addresses, but at most ${most} are listened on`
    return repetitions(
      addresses,
      (address) => (/\/0(\/quic-v1)?$/i.test(address) ? undefined : address),
      (address, first) => `the same address as in entry ${first}: ${address}`
    )
  })
)

const most = 64
