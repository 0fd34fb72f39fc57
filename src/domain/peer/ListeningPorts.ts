/** The ports of a node that listens, as its ENR tells them: by transport, and those of IPv6 apart. */
export type ListeningPorts = Readonly<Partial<Record<"tcp" | "tcp6" | "quic" | "quic6", number>>>

/** The first port of each kind among the multiaddrs of a node (`Host.multiaddrs`). */
export const listeningPorts = (multiaddrs: ReadonlyArray<string>): ListeningPorts => {
  const ports: Partial<Record<keyof ListeningPorts, number>> = {}
  for (const address of multiaddrs) {
    const [, family, transport, port] = /^\/ip([46])\/[^/]+\/(tcp|udp)\/(\d+)(?:\/|$)/.exec(address) ?? []
    if (port === undefined || (transport === "udp") !== /\/quic-v1(\/|$)/.test(address)) continue
    const kind = `${transport === "udp" ? "quic" : "tcp"}${family === "6" ? "6" : ""}` as const
    ports[kind] ??= Number(port)
  }
  return ports
}
