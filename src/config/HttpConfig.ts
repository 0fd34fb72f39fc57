import { Schema } from "effect"
import { expected } from "./Show.ts"
import { listOf, optional, secret, withDefault } from "./Values.ts"

const Origin = Schema.String.pipe(
  Schema.filter((text) => /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text),
  Schema.annotations(expected("an origin like https://dashboard.example.org, without a path"))
)

const HostName = Schema.String.pipe(
  Schema.filter((text) => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text)),
  Schema.annotations(expected("the name of a host like dasmon.example.org, without a port"))
)

/** Who may use the HTTP API. */
export const HttpConfig = Schema.Struct({
  /** What every request must bring as `Authorization: Bearer`; left out, everyone who can connect may come. */
  token: optional(
    secret("a token of 8 to 256 ASCII characters, without spaces", (text) => /^[\x21-\x7e]{8,256}$/.test(text))
  ),
  /** Origins whose pages may read the API and its streams, beside the server's own. */
  allowedOrigins: withDefault(listOf(Origin, "origins"), () => []),
  /** Names by which the server may be called, beside IP addresses and localhost. */
  allowedHosts: withDefault(listOf(HostName, "host names"), () => [])
})
