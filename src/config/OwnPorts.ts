import { isIPv6 } from "node:net"
import { type Config, type KeyStyle, writtenKey } from "./Config.ts"
import { isLoopback } from "./ListenAddress.ts"
import { showPath } from "./Show.ts"
import { type Transport, transportOf } from "../domain/peer/Transport.ts"

/** Something that listens, or that is asked. */
interface Place {
  readonly key: ReadonlyArray<string | number>
  /** The ports of UDP, which are for QUIC, are others than those of TCP. */
  readonly transport: Transport
  readonly host: string
  readonly port: number
  readonly listens: boolean
}

/** Ports that two keys want, and a beacon node that would be this program itself: each with the key and what is wrong. */
export const portConflicts = (config: Config, style: KeyStyle) =>
  placesOf(config).flatMap((place, index, all) => {
    const other = all.slice(0, index).find((before) => before.listens && isSame(before, place))
    if (other === undefined || place.port === 0) return []
    const key = showPath(other.key.map((part) => (typeof part === "string" ? writtenKey(part, style) : part)))
    const message = place.listens
      ? `port ${place.port} is taken: ${key} has it`
      : `this is where dasmon itself listens (${key}): name the beacon node's own address`
    return [{ key: place.key, message }]
  })

const placesOf = ({
  backfill,
  beaconApi,
  httpAddr,
  identities,
  listenAddresses,
  metrics,
  secondListenAddresses = []
}: Config): ReadonlyArray<Place> => [
  { key: ["httpAddr"], transport: "tcp", ...httpAddr, listens: true },
  ...(metrics.enabled
    ? [{ key: ["metrics", "port"], transport: "tcp" as const, host: httpAddr.host, port: metrics.port, listens: true }]
    : []),
  ...placesOfNode("listenAddresses", listenAddresses),
  ...placesOfNode("secondListenAddresses", identities === 2 ? secondListenAddresses : []),
  ...(beaconApi ?? []).map((url, index, all) => ({
    key: all.length === 1 ? ["beaconApi"] : ["beaconApi", index],
    ...placeOfUrl(url),
    listens: false
  })),
  ...(backfill.beaconApi === undefined
    ? []
    : [{ key: ["backfill", "beaconApi"], ...placeOfUrl(backfill.beaconApi), listens: false }])
]

const placesOfNode = (key: string, addresses: ReadonlyArray<string>): ReadonlyArray<Place> =>
  addresses.flatMap((text, index) => {
    const [, host = "", port] = /^\/ip[46]\/([^/]+)\/(?:tcp|udp)\/(\d+)/i.exec(text) ?? []
    const transport = transportOf(text)
    return port === undefined ? [] : [{ key: [key, index], transport, host, port: Number(port), listens: true }]
  })

const placeOfUrl = (text: string) => {
  const { hostname, port, protocol } = new URL(text)
  return {
    transport: "tcp" as const,
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
  }
}

/** Whether what listens on one host and port has the other too. */
const isSame = (a: Place, b: Place): boolean =>
  a.transport === b.transport && a.port === b.port && (a.host === b.host || covers(a, b) || covers(b, a))

/** A server on all interfaces has those of this machine alone too; what else is its own is known to the system only. */
const covers = ({ host, key }: Place, other: Place): boolean => {
  if (host === "localhost") return isLoopback(other.host)
  if (host !== "0.0.0.0" && host !== "::") return false
  if (!other.listens) return isLoopback(other.host)
  // libp2p keeps its IPv6 sockets to IPv6; a server of Node takes IPv4 with them.
  return (host === "::") === isIPv6(other.host) || (host === "::" && typeof key[1] !== "number")
}
