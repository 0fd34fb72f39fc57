import { isIPv6 } from "node:net"
import { Either, ParseResult, Schema } from "effect"

/** A Xatu server: its gRPC service, or its HTTP ingester. */
const Parsed = Schema.Struct({
  protocol: Schema.Literal("grpc", "http"),
  /** Whether with TLS; `undefined` where the address does not say it. */
  secure: Schema.UndefinedOr(Schema.Boolean),
  /** Without the brackets of an IPv6 address. */
  host: Schema.String,
  port: Schema.Int,
  /** What is asked for over HTTP; empty for gRPC. */
  path: Schema.String
})
type Parsed = typeof Parsed.Type

const schemes = {
  grpc: { protocol: "grpc", secure: false, port: undefined },
  grpcs: { protocol: "grpc", secure: true, port: undefined },
  http: { protocol: "http", secure: false, port: 80 },
  https: { protocol: "http", secure: true, port: 443 }
} as const

/** The one place at which Xatu takes events over HTTP. */
const ingesterPath = "/v1/events"

const form = /^(?:([a-z]+):\/\/)?(\[[^\]]*\]|[^:/[\]@]+)(?::(\d{1,5}))?(\/[^?#]*)?$/i
const name = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*\.?$/i

const parse = (text: string): Either.Either<Parsed, string> =>
  Either.gen(function* () {
    const wrong = (why: string) => Either.left(`expected ${allowed}; ${why}`)
    if (text.includes("@")) return yield* wrong("user and password have keys of their own: username and password")
    const [, scheme, place = "", digits, path = ""] = form.exec(text.trim()) ?? []
    const known =
      scheme === undefined ? undefined : Object.entries(schemes).find(([key]) => key === scheme.toLowerCase())
    if (scheme !== undefined && known === undefined) return yield* wrong(`this one begins with ${scheme}://`)
    const host = place.replace(/^\[|\]$/g, "")
    if (!(place.startsWith("[") ? isIPv6(host) : name.test(host))) return yield* wrong("this one has no host")
    const how = known?.[1] ?? { protocol: "grpc" as const, secure: undefined, port: undefined }
    const port = digits === undefined ? how.port : Number(digits)
    if (port === undefined) return yield* wrong("this one has no port (a Xatu server listens on 8080)")
    if (port < 1 || port > 65535) return yield* wrong(`there is no port ${port}`)
    const prefix = path.replace(/\/+$/, "")
    if (how.protocol === "grpc" && prefix !== "") return yield* wrong("an address for gRPC has no path")
    return {
      protocol: how.protocol,
      secure: how.secure,
      host,
      port,
      path: how.protocol === "grpc" ? "" : prefix.endsWith(ingesterPath) ? prefix : `${prefix}${ingesterPath}`
    }
  })

const format = ({ host, path, port, protocol, secure }: Parsed): string =>
  `${secure === undefined ? "" : `${protocol}${secure ? "s" : ""}://`}${host.includes(":") ? `[${host}]` : host}:${port}${path}`

const allowed = "host:port, grpc://host:port, grpcs://host:port, http://host[:port] or https://host[:port]"

/**
 * Where events are sent. `grpc://` and `host:port` are the gRPC service, `http://` is the HTTP ingester; an `s` behind
 * either is TLS.
 */
export const XatuAddress = Schema.transformOrFail(Schema.String, Parsed, {
  strict: true,
  decode: (text, _, ast) => Either.mapLeft(parse(text), (reason) => new ParseResult.Type(ast, text, reason)),
  encode: (address) => ParseResult.succeed(format(address))
})
export type XatuAddress = typeof XatuAddress.Type
