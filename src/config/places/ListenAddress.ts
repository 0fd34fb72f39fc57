import { isIPv4, isIPv6 } from "node:net"
import { Option, Schema } from "effect"
import { expected } from "../Show.ts"

/** Where a server listens. Port 0 takes any free one. */
export interface HostAndPort {
  readonly host: string
  readonly port: number
}

const name = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/** Reads `host:port`, `[ipv6]:port`, or `:port` for all IPv4 interfaces. */
const parseListenAddress = (text: string): Option.Option<HostAndPort> => {
  const [, bracketed, bare = "", digits = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? []
  const port = digits === "" ? NaN : Number(digits)
  if (!(port <= 65535)) return Option.none()
  if (bracketed !== undefined) return isIPv6(bracketed) ? Option.some({ host: bracketed, port }) : Option.none()
  if (bare === "") return Option.some({ host: "0.0.0.0", port })
  const allowed = /^[\d.]+$/.test(bare) ? isIPv4(bare) : name.test(bare)
  return allowed ? Option.some({ host: bare, port }) : Option.none()
}

/** Whether only this machine can reach what listens on the host. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."))

const formatListenAddress = ({ host, port }: HostAndPort): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

/** `host:port` as a server's address. */
export const ListenAddress = Schema.transform(
  Schema.String.pipe(Schema.filter((text) => Option.isSome(parseListenAddress(text)))),
  Schema.Struct({ host: Schema.String, port: Schema.Int }),
  {
    strict: true,
    decode: (text) => Option.getOrThrow(parseListenAddress(text)),
    encode: formatListenAddress
  }
).annotations(expected("host:port like 127.0.0.1:9090, [::1]:9090 or :9090, port 0 to 65535"))
