import { isIPv4, isIPv6 } from "node:net"
import { Duration, Schema } from "effect"
import { GoDuration } from "./GoDuration.ts"
import { expected } from "./Show.ts"
import { filePath, flag, listOf, optional, repetitions, withDefault } from "./Values.ts"

/** `/ip4/<address>/…` and the like: the family, the address, and what follows. */
const partsOf = (
  text: string
): { readonly family: 4 | 6; readonly host: string; readonly rest: string } | undefined => {
  const [, family, host = "", rest = ""] = /^\/ip([46])\/([^/]{1,64})(\/.*)?$/.exec(text) ?? []
  if (family === "4") return isIPv4(host) ? { family: 4, host, rest } : undefined
  return family === "6" && isIPv6(host) ? { family: 6, host, rest } : undefined
}

/** A port, with zero where any free one may be taken. */
const portOf = (text: string, least: number): number | undefined => {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  return port >= least && port <= 65_535 ? port : undefined
}

/** Where discv5 listens, of an entry of `discovery.listen_addresses`. */
export const udpEndpointOf = (text: string): { readonly host: string; readonly port: number } | undefined => {
  const parts = partsOf(text)
  const port = portOf(/^\/udp\/(\d+)$/.exec(parts?.rest ?? "")?.[1] ?? "", 0)
  return parts === undefined || port === undefined ? undefined : { host: parts.host, port }
}

const isAdvertisable = (text: string): boolean => {
  const [, tcp, udp] = /^\/(?:tcp\/(\d+)|udp\/(\d+)(?:\/quic-v1)?)$/.exec(partsOf(text)?.rest ?? "") ?? []
  return portOf(tcp ?? udp ?? "", 1) !== undefined
}

const familyOf = (text: string): 4 | 6 => (isIPv4(text) || text.startsWith("/ip4/") ? 4 : 6)

/** At most one of each family of addresses, and in the order in which they were given. */
const oneOfEachFamily = <A extends string, I>(list: Schema.Schema<ReadonlyArray<A>, I>) =>
  list.pipe(
    Schema.filter((entries) =>
      repetitions(
        entries,
        (entry) => String(familyOf(entry)),
        (entry, first) => `a second IPv${familyOf(entry)} address, beside entry ${first}`
      )
    )
  )

const UdpMultiaddr = Schema.String.pipe(
  Schema.filter((text) => udpEndpointOf(text) !== undefined),
  Schema.annotations(expected("a multiaddr to listen on, like /ip4/0.0.0.0/udp/9000"))
)

const IpAddress = Schema.String.pipe(
  Schema.filter((text) => isIPv4(text) || isIPv6(text)),
  Schema.annotations(expected("an IP address"))
)

const Advertised = Schema.String.pipe(
  Schema.filter(isAdvertisable),
  Schema.annotations(
    expected(
      "a multiaddr like /ip4/203.0.113.7/tcp/9000, /ip4/203.0.113.7/udp/9001/quic-v1 or, of discv5, /ip4/203.0.113.7/udp/9000"
    )
  )
)

/** An ENR has one address of each family, and one port of each kind. */
const AdvertiseList = listOf(Advertised, "multiaddrs").pipe(
  Schema.filter((entries) =>
    entries.flatMap((entry, index) => {
      const before = entries.slice(0, index)
      const host = before.find((other) => familyOf(other) === familyOf(entry))
      if (host !== undefined && partsOf(host)?.host !== partsOf(entry)?.host) {
        return [
          { path: [index], message: `another IPv${familyOf(entry)} address than that of ${host}: an ENR has one` }
        ]
      }
      const same = before.find((other) => kindOf(other) === kindOf(entry))
      return same === undefined
        ? []
        : [{ path: [index], message: `a second port beside that of ${same}: an ENR has one` }]
    })
  )
)

const kindOf = (text: string): string => text.replace(/\d+(?=(\/quic-v1)?$)/, "")

/** Where peers come from, beside `peers`. */
export const DiscoveryConfig = Schema.Struct({
  /** Looks for nodes with discv5 where a boot node is known. */
  discv5: withDefault(flag, () => true),
  /** Where discv5 listens: at most one address of IPv4 and one of IPv6. */
  listenAddresses: withDefault(oneOfEachFamily(listOf(UdpMultiaddr, "multiaddrs")), () => ["/ip4/0.0.0.0/udp/0"]),
  /** The addresses that others reach this machine at; what other nodes see if left out. */
  externalAddresses: withDefault(oneOfEachFamily(listOf(IpAddress, "IP addresses")), () => []),
  /** Exactly what the ENR says of addresses and ports; nothing of them for an empty list. */
  advertise: optional(AdvertiseList),
  /** Takes the peers that the beacon node has. */
  beaconPeers: withDefault(flag, () => true),
  /** How often it is asked for them. */
  beaconPeersInterval: withDefault(GoDuration("1s", "1d"), () => Duration.seconds(30)),
  /** A file of ENRs or multiaddrs, one a line, that is watched. */
  enrFile: optional(filePath)
})
