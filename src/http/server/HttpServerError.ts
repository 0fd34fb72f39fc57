import { Match, Schema } from "effect"

/** The configuration key that says where a server listens. */
export const AddressKey = Schema.Literal("http_addr", "metrics.port")
export type AddressKey = typeof AddressKey.Type

/** A server cannot listen at its address; the message says what to do about it. */
export class HttpServerError extends Schema.TaggedError<HttpServerError>()("HttpServerError", {
  key: AddressKey,
  /** `host:port` as configured. */
  address: Schema.String,
  /** The system's code, such as `EADDRINUSE`; empty if it gave none. */
  code: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.key} ${this.address} ${advice(this.key, this.code, this.reason)}`
  }
}

/** `host:port`, with an IPv6 host in brackets. */
export const formatAddress = (host: string, port: number): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

const advice = (key: AddressKey, code: string, reason: string): string =>
  Match.value(code).pipe(
    Match.when("EADDRINUSE", () => `is already in use: choose another with ${key}, or stop the program that has it`),
    Match.when("EACCES", () => `may not be used by this user: choose a port above 1023 with ${key}`),
    Match.whenOr(
      "EADDRNOTAVAIL",
      "ENOTFOUND",
      "EAI_AGAIN",
      () => "is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for every interface"
    ),
    Match.orElse(() => `cannot be listened on: ${reason}`)
  )
