import { Duration, Predicate, Redacted, Schema } from "effect"
import { GoDuration } from "./GoDuration.ts"
import { expected } from "./Show.ts"
import { filePath, flag, optional, secret, whole, withDefault } from "./Values.ts"
import { XatuAddress } from "./places/XatuAddress.ts"

const headerName = /^[a-z0-9][a-z0-9_.-]{0,99}$/i
const visible = /^[\x20-\x7e]{1,4096}$/

/** What the protocols say themselves. */
const reserved = /^(content-|grpc-|te$|host$|connection$|transfer-encoding$|user-agent$|.*-bin$)/i

const Headers = Schema.Record({
  key: Schema.String,
  value: secret("1 to 4096 ASCII characters, in quotes", (text) => visible.test(text))
}).pipe(
  Schema.filter((headers) => {
    const names = Object.keys(headers)
    const wrong = names.find((name) => !headerName.test(name) || reserved.test(name))
    if (wrong !== undefined) return `${JSON.stringify(wrong.slice(0, 100))} is not the name of a header that can be set`
    const lower = names.map((name) => name.toLowerCase())
    const twice = lower.find((name, index) => lower.indexOf(name) !== index)
    if (twice !== undefined) return `the header ${twice} is there twice`
    return names.length > 32 ? `${names.length} headers, but at most 32 are sent` : undefined
  })
)

const label = (longest: number, allowed: string) =>
  Schema.String.pipe(
    Schema.filter((text) => text.length <= longest && /^[\w][\w.\-/:@]*$/.test(text)),
    Schema.annotations(expected(`${allowed}: up to ${longest} letters, digits and . - _ / : @`))
  )

const fields = {
  address: Schema.propertySignature(XatuAddress).annotations({
    missingMessage: () => "is required: the Xatu server, such as xatu.example.org:8080 or https://xatu.example.org"
  }),
  /** Whether with TLS, where the address does not say it. */
  tls: optional(flag),
  /** PEM of the authorities that are trusted instead of the system's. */
  caFile: optional(filePath),
  /** Sent with every batch. */
  headers: withDefault(Headers, () => ({})),
  /** HTTP basic authentication. */
  username: optional(
    Schema.String.pipe(
      Schema.filter((text) => visible.test(text) && !text.includes(":")),
      Schema.annotations(expected("a user name, without a colon"))
    )
  ),
  password: optional(secret("a password of 1 to 4096 ASCII characters", (text) => visible.test(text))),
  /** In place of what the network is called by its beacon node. */
  network: optional(label(64, "the name of a network")),
  /** How the server calls this monitor. */
  name: withDefault(label(128, "a name"), () => "dasmon"),
  /** Events in one request, at most. */
  batchSize: withDefault(whole(1, 10_000), () => 512),
  /** How long an event waits for others to share its request. */
  flushInterval: withDefault(GoDuration("100ms", "5m"), () => Duration.seconds(5)),
  /** Events that wait in memory, at most. */
  queue: withDefault(whole(100, 1_000_000), () => 51_200),
  /** Where events wait that the memory has no room for; next to the database unless it is set. */
  spillFolder: optional(filePath),
  /** What they may take there, in MiB; 0 keeps nothing on disk. */
  spillLimitMib: withDefault(whole(0, 1_048_576), () => 256)
}

/** Shipping to Xatu. */
export const XatuConfig = Schema.Struct(fields).pipe(
  Schema.filter(({ address, batchSize, headers, password, queue, tls, username }) => {
    if (tls !== undefined && address.secure !== undefined && tls !== address.secure) {
      return { path: ["tls"], message: `contradicts the address, which is ${address.secure ? "with" : "without"} TLS` }
    }
    if ((username === undefined) !== (password === undefined)) {
      const [given, absent] = username === undefined ? ["password", "username"] : ["username", "password"]
      return { path: [given ?? ""], message: `needs a ${absent} too` }
    }
    if (username !== undefined && Object.keys(headers).some((name) => name.toLowerCase() === "authorization")) {
      return { path: ["headers"], message: "username and password make the header authorization already" }
    }
    return queue < batchSize
      ? { path: ["queue"], message: `${queue} events, but one batch alone has up to ${batchSize}` }
      : undefined
  })
)
export type XatuConfig = typeof XatuConfig.Type

/** The keys of the section. */
export const xatuKeys: Readonly<Record<string, unknown>> = fields

/** Whether the connection to the server is with TLS. */
export const isSecure = ({ address, tls }: Pick<XatuConfig, "address" | "tls">): boolean =>
  address.secure ?? tls ?? false

/** What is sent with every batch, the credentials among it; names in lower case. */
export const sentHeaders = ({
  headers,
  password,
  username
}: Pick<XatuConfig, "headers" | "password" | "username">): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries<Redacted.Redacted>(headers).map(([name, value]) => [name.toLowerCase(), Redacted.value(value)])
  ),
  ...(Predicate.isNotUndefined(username) && Predicate.isNotUndefined(password)
    ? { authorization: `Basic ${Buffer.from(`${username}:${Redacted.value(password)}`).toString("base64")}` }
    : {})
})
