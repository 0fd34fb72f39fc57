import { createHash, timingSafeEqual } from "node:crypto"
import { isIP } from "node:net"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { HttpServerRequest } from "@effect/platform"
import { Option, Redacted } from "effect"
import { Forbidden } from "../api/ApiErrors.ts"
import { jsonError, PayloadTooLarge, Unauthorized } from "./HttpErrors.ts"

/** Who may use the API, and from which pages. */
export interface Access {
  /** What every request must bring, but for `/healthz` and `/readyz`; left out, everyone may come. */
  readonly token?: Redacted.Redacted | undefined
  /** Origins whose pages may read the API, beside the server's own. */
  readonly allowedOrigins: ReadonlyArray<string>
  /**
   * Names by which the server may be called; IP addresses and `localhost` always may, and any with a token, which a
   * stranger's page does not have.
   */
  readonly allowedHosts: ReadonlyArray<string> | "any"
}

export const openAccess: Access = { allowedOrigins: [], allowedHosts: [] }

type Request = HttpServerRequest.HttpServerRequest

/** The path of a request's URL, without query and fragment. */
export const pathOf = ({ url }: { readonly url: string }): string => url.replace(/[?#].*$/s, "")

/** What is decided before a request reaches its route. */
export interface Guard {
  /** The response to a request that is not let through, or that is no more than a question about what is allowed. */
  readonly refuse: (request: Request) => Option.Option<HttpServerResponse.HttpServerResponse>
  /** Headers by which a browser lets a page of an allowed origin read the response. */
  readonly headers: (request: Request) => Readonly<Record<string, string>>
}

/**
 * Keeps strangers out: a wrong `Host` (a name that someone has made point here: DNS rebinding), an `Origin` that is not
 * allowed where it could do anything (WebSocket, POST), a token that is wrong, a body that is too large.
 */
export const makeGuard = (access: Access): Guard => {
  const origins = new Set(access.allowedOrigins)
  const anyHost = access.allowedHosts === "any" || access.token !== undefined
  const hosts = new Set(access.allowedHosts === "any" ? [] : access.allowedHosts.map((host) => host.toLowerCase()))
  const expected = access.token === undefined ? undefined : digest(Redacted.value(access.token))

  const isKnownHost = ({ headers }: Request): boolean => {
    const name = hostName(headers["host"] ?? "")
    return anyHost || name === "" || name === "localhost" || isIP(name) !== 0 || hosts.has(name)
  }
  const isForeign = ({ headers }: Request): boolean => {
    const origin = headers["origin"]
    if (origin === undefined || origins.has(origin)) return false
    return !URL.canParse(origin) || new URL(origin).host !== headers["host"]?.toLowerCase()
  }
  const isAuthorized = (request: Request): boolean => {
    if (expected === undefined || openPaths.has(pathOf(request))) return true
    const given = tokenOf(request)
    return given !== undefined && timingSafeEqual(digest(given), expected)
  }

  return {
    refuse: (request) => {
      if (!isKnownHost(request)) {
        return refused(
          new Forbidden({ reason: "the server does not go by this Host: name it in http.allowed_hosts" }),
          403
        )
      }
      if (isForeign(request) && (request.method !== "GET" || "upgrade" in request.headers)) {
        return refused(new Forbidden({ reason: "the Origin is not this server: name it in http.allowed_origins" }), 403)
      }
      if (request.method === "OPTIONS" && "access-control-request-method" in request.headers) {
        return Option.some(HttpServerResponse.empty({ status: 204 }))
      }
      const isRead = request.method === "GET" || request.method === "HEAD"
      if (
        !isRead &&
        (Number(request.headers["content-length"] ?? 0) > maxBody || "transfer-encoding" in request.headers)
      ) {
        return refused(new PayloadTooLarge({ limit: maxBody }), 413)
      }
      return isAuthorized(request) ? loggedIn(request) : Option.some(unauthorized)
    },
    headers: (request) => {
      const origin = request.headers["origin"]
      if (origins.size === 0) return {}
      return origin === undefined || !origins.has(origin)
        ? { vary: "Origin" }
        : {
            vary: "Origin",
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": "authorization, content-type, last-event-id, if-none-match",
            "access-control-expose-headers": "etag, retry-after",
            "access-control-max-age": "600",
            "cross-origin-resource-policy": "cross-origin"
          }
    }
  }
}

/** Bytes of a request's body, at most. */
const maxBody = 64 * 1024

/** A probe of whether the program lives needs no token: it tells nothing else. */
const openPaths = new Set(["/healthz", "/readyz"])

const cookie = "dasmon_token"

/** `Authorization: Bearer`, or what a browser was given once it came with `/?token=`. */
const tokenOf = (request: Request): string | undefined => {
  const [, bearer] = /^Bearer +(.+)$/i.exec(request.headers["authorization"] ?? "") ?? []
  return bearer ?? request.cookies[cookie] ?? loginToken(request)
}

/** Only the page takes a token in its address: it is then kept in a cookie and leaves the address bar. */
const loginToken = (request: Request): string | undefined =>
  pathOf(request) === "/" && request.method === "GET"
    ? (new URLSearchParams(request.url.split("?")[1] ?? "").get("token") ?? undefined)
    : undefined

const loggedIn = (request: Request): Option.Option<HttpServerResponse.HttpServerResponse> => {
  const token = loginToken(request)
  return token === undefined
    ? Option.none()
    : Option.some(
        HttpServerResponse.empty({ status: 303, headers: { location: "/" } }).pipe(
          HttpServerResponse.unsafeSetCookie(cookie, token, { httpOnly: true, sameSite: "strict", path: "/" })
        )
      )
}

const unauthorized = jsonError(
  new Unauthorized({ reason: "send the token of http.token: Authorization: Bearer …, or open /?token=… in a browser" }),
  401,
  { "www-authenticate": 'Bearer realm="dasmon"' }
)

const refused = (
  error: Parameters<typeof jsonError>[0],
  status: number
): Option.Option<HttpServerResponse.HttpServerResponse> =>
  Option.some(jsonError(error, status, { connection: "close" }))

/** Without the port, and the brackets of IPv6. */
const hostName = (host: string): string =>
  host
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1")

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
