import { multiaddr } from "@multiformats/multiaddr"
import { isLoopback } from "../../config/places/ListenAddress.ts"
import { bigEndian } from "../../domain/Bytes.ts"
import { familyOf, ipBytes, type UdpEndpoint } from "../../wire/discv5/UdpEndpoint.ts"

/** All that is known of where we are. */
export interface Whereabouts {
  /** Where libp2p listens: multiaddrs, with or without `/p2p/…`. A wildcard stands there as the addresses of the machine. */
  readonly listening: ReadonlyArray<string>
  /** Where discv5 listens, at most one of each family. */
  readonly sockets: ReadonlyArray<UdpEndpoint>
  /** The addresses that others reach this machine at, as its owner says; at most one of each family. */
  readonly external: ReadonlyArray<string>
  /** What enough others say that they see us at; at most one of each family. */
  readonly observed: ReadonlyArray<UdpEndpoint>
  /** Multiaddrs that are advertised in place of all that would follow from the rest. */
  readonly advertise?: ReadonlyArray<string> | undefined
}

/** What others reach us at, in one family of addresses. */
export interface Reach {
  readonly family: 4 | 6
  readonly host: string
  readonly tcp: number | undefined
  readonly quic: number | undefined
  /** Of discv5. */
  readonly udp: number | undefined
}

/**
 * What is advertised. Without an address from the owner or from others only one that we listen on by name is, and ports
 * of libp2p are only where it listens beyond this machine, or the address is of this machine too.
 */
export const reachOf = (where: Whereabouts): ReadonlyArray<Reach> =>
  ([4, 6] as const).flatMap((family): ReadonlyArray<Reach> => {
    if (where.advertise !== undefined) return advertised(family, where.advertise)
    const own = <A>(entries: ReadonlyArray<A>, host: (entry: A) => string): A | undefined =>
      entries.find((entry) => familyOf(host(entry)) === family)
    const socket = own(where.sockets, ({ host }) => host)
    const observed = own(where.observed, ({ host }) => host)
    const external = own(where.external, (host) => host)
    const named = socket !== undefined && !isWildcard(socket.host) ? socket.host : undefined
    const host = external ?? observed?.host ?? named
    if (host === undefined) return []
    const udp = external === undefined && observed !== undefined ? observed.port : socket?.port
    const ports = where.listening.map(placeOf).filter((place) => place !== undefined && place.family === family)
    const port = (transport: Transport) =>
      ports.find((place) => place?.transport === transport && place.host === host)?.port ??
      (isLoopback(host)
        ? undefined
        : ports.find((place) => place?.transport === transport && !isLoopback(place.host))?.port)
    return [{ family, host, udp, tcp: port("tcp"), quic: port("quic") }]
  })

/** The entries of an ENR for it. */
export const addressEntries = (reach: ReadonlyArray<Reach>): ReadonlyMap<string, Uint8Array> =>
  new Map(
    reach.flatMap(({ family, host, quic, tcp, udp }) => {
      const suffix = family === 4 ? "" : "6"
      const ports = Object.entries({ quic, tcp, udp }).flatMap(([key, port]): ReadonlyArray<[string, Uint8Array]> =>
        port === undefined ? [] : [[`${key}${suffix}`, bigEndian(port)]]
      )
      return [[`ip${suffix}`, ipBytes(host)] as const, ...ports]
    })
  )

/** As multiaddrs, without `/p2p/…`; that of discv5 is the one of UDP without QUIC. */
export const reachMultiaddrs = (reach: ReadonlyArray<Reach>): ReadonlyArray<string> =>
  reach.flatMap(({ family, host, quic, tcp, udp }) => [
    ...(quic === undefined ? [] : [`/ip${family}/${host}/udp/${quic}/quic-v1`]),
    ...(tcp === undefined ? [] : [`/ip${family}/${host}/tcp/${tcp}`]),
    ...(udp === undefined ? [] : [endpointMultiaddr({ host, port: udp })])
  ])

export const endpointMultiaddr = ({ host, port }: UdpEndpoint): string => `/ip${familyOf(host)}/${host}/udp/${port}`

/** The text of 4 or 16 bytes. */
export const ipText = (bytes: Uint8Array): string =>
  multiaddr(Uint8Array.from([bytes.length === 4 ? 4 : 41, ...bytes])).getComponents()[0]?.value ?? ""

const isWildcard = (host: string): boolean => host === "0.0.0.0" || host === "::"

type Transport = "tcp" | "quic" | "udp"

interface Place extends UdpEndpoint {
  readonly family: 4 | 6
  readonly transport: Transport
}

const placeOf = (text: string): Place | undefined => {
  const [, family, host, protocol, port, quic] = /^\/ip([46])\/([^/]+)\/(tcp|udp)\/(\d+)(\/quic-v1)?/.exec(text) ?? []
  if (host === undefined || port === undefined) return undefined
  const transport = protocol === "tcp" ? "tcp" : quic === undefined ? "udp" : "quic"
  return { family: family === "4" ? 4 : 6, host, transport, port: Number(port) }
}

const advertised = (family: 4 | 6, texts: ReadonlyArray<string>): ReadonlyArray<Reach> => {
  const places = texts.flatMap((text) => placeOf(text) ?? []).filter((place) => place.family === family)
  const port = (transport: Transport) => places.find((place) => place.transport === transport)?.port
  const [first] = places
  return first === undefined
    ? []
    : [{ family, host: first.host, tcp: port("tcp"), quic: port("quic"), udp: port("udp") }]
}
