import { createSocket } from "node:dgram"
import { lookup } from "node:dns/promises"
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr"

/**
 * The address with an IP address in it, to which there is a way from here: nothing is sent. Rejects as a socket of TCP
 * would (`ENETUNREACH`, `ENOTFOUND`): over QUIC itself, no way there looks like no answer.
 */
export const routeOf = async (address: Multiaddr): Promise<Multiaddr> => {
  const components = address.getComponents().map((component) => ({ ...component }))
  const port = Number(components.find(({ name }) => name === "udp")?.value)
  const place = components.find(({ name }) => name in families)
  if (place?.value === undefined) throw new Error(`no place to go to in ${address.toString()}`)
  const found = await lookup(place.value, { family: families[place.name] ?? 0 })
  await connectTo(found.family === 6 ? "udp6" : "udp4", port, found.address)
  if (place.name === "ip4" || place.name === "ip6") return address
  const rest = address.toString().slice(`/${place.name}/${place.value}`.length)
  return multiaddr(`/ip${found.family}/${found.address}${rest}`)
}

const families: Readonly<Record<string, number>> = { ip4: 4, ip6: 6, dns: 0, dns4: 4, dns6: 6 }

const connectTo = (type: "udp4" | "udp6", port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(type)
    const end = (error?: Error): void => {
      socket.close()
      if (error === undefined) resolve()
      else reject(error)
    }
    socket.once("error", end)
    socket.connect(port, host, (error?: Error) => end(error))
  })
