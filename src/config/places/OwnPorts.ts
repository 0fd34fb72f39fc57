import { isIPv6 } from "node:net"
import { type Config, type KeyStyle, writtenKey } from "../Config.ts"
import { type HostAndPort, isLoopback } from "./ListenAddress.ts"
import { bootnodesOf } from "../NetworkConfig.ts"
import { showPath } from "../Show.ts"

/** Something that listens, or that is asked. */
interface Place {
  readonly key: ReadonlyArray<string | number>
  /** The ports of UDP, which are for QUIC and discv5, are others than those of TCP. */
  readonly protocol: "tcp" | "udp"
  readonly host: string
  readonly port: number
  readonly listens: boolean
  /** Whether on all addresses of IPv6 it has those of IPv4 too. */
  readonly takesIPv4?: boolean
}

/** Ports that two keys want, and a beacon node that would be this program itself: each with the key and what is wrong. */
export const portConflicts = (config: Config, style: KeyStyle) =>
  placesOf(config).flatMap((place, index, all) => {
    const other = all.slice(0, index).find((before) => before.listens && isSame(before, place))
    if (other === undefined || place.port === 0) return []
    const key = showPath(other.key.map((part) => (typeof part === "string" ? writtenKey(part, style) : part)))
    const message = place.listens
      ? `${place.protocol === "udp" ? "UDP port" : "port"} ${place.port} is taken: ${key} has it`
      : `this is where dasmon itself listens (${key}): name the beacon node's own address`
    return [{ key: place.key, message }]
  })

const placesOf = (config: Config): ReadonlyArray<Place> => {
  const { backfill, beaconApi, discovery, httpAddr, identities, listenAddresses, metrics, secondListenAddresses } =
    config
  return [
    { key: ["httpAddr"], ...serverAt(httpAddr) },
    ...(metrics.enabled
      ? [{ key: ["metrics", "port"], ...serverAt({ host: httpAddr.host, port: metrics.port }) }]
      : []),
    ...nodeAt(["listenAddresses"], listenAddresses),
    ...(bootnodesOf(config).length > 0 ? nodeAt(["discovery", "listenAddresses"], discovery.listenAddresses) : []),
    ...nodeAt(["secondListenAddresses"], identities === 2 ? (secondListenAddresses ?? []) : []),
    ...(beaconApi ?? []).map((url, index, all) => ({
      key: all.length === 1 ? ["beaconApi"] : ["beaconApi", index],
      ...placeOfUrl(url),
      listens: false
    })),
    ...(backfill.beaconApi === undefined
      ? []
      : [{ key: ["backfill", "beaconApi"], ...placeOfUrl(backfill.beaconApi), listens: false }])
  ]
}

const serverAt = (at: HostAndPort) => ({ protocol: "tcp" as const, ...at, listens: true, takesIPv4: true })

/** Sockets of libp2p and of discv5. */
const nodeAt = (key: ReadonlyArray<string>, addresses: ReadonlyArray<string>): ReadonlyArray<Place> =>
  addresses.flatMap((text, index) => {
    const [, host = "", transport = "", port] = /^\/ip[46]\/([^/]+)\/(tcp|udp)\/(\d+)/i.exec(text) ?? []
    const protocol = transport.toLowerCase() === "udp" ? "udp" : "tcp"
    return port === undefined ? [] : [{ key: [...key, index], protocol, host, port: Number(port), listens: true }]
  })

const placeOfUrl = (text: string) => {
  const { hostname, port, protocol } = new URL(text)
  return {
    protocol: "tcp" as const,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
  }
}

/** Whether what listens on one host and port has the other too. */
const isSame = (a: Place, b: Place): boolean =>
  a.protocol === b.protocol && a.port === b.port && (a.host === b.host || covers(a, b) || covers(b, a))

/** A server on all interfaces has those of this machine alone too; what else is its own is known to the system only. */
const covers = ({ host, takesIPv4 = false }: Place, other: Place): boolean => {
  if (host === "localhost") return isLoopback(other.host)
  if (host !== "0.0.0.0" && host !== "::") return false
  if (!other.listens) return isLoopback(other.host)
  // Nodes keep their IPv6 sockets to IPv6; a server takes IPv4 with them.
  return (host === "::") === isIPv6(other.host) || (host === "::" && takesIPv4)
}
