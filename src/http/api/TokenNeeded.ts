import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import { Effect, Layer } from "effect"
import { Forbidden } from "./ApiErrors.ts"
import { failing } from "./Failing.ts"

/**
 * On an endpoint that is for those with a token only, also where everyone may come for the rest: without `http.token`
 * nobody may use it. It stands on the endpoint, not on a path, since one path can be written in many ways.
 */
export class TokenNeeded extends HttpApiMiddleware.Tag<TokenNeeded>()("dasmon/TokenNeeded", {
  failure: failing(Forbidden, "Forbidden")
}) {
  /** `hasToken`: whether `http.token` is set, so that whoever came this far has brought it. */
  static readonly layer = ({ hasToken }: { readonly hasToken: boolean }): Layer.Layer<TokenNeeded> =>
    Layer.succeed(
      TokenNeeded,
      hasToken
        ? Effect.void
        : new Forbidden({
            reason: "only for those with a token: set http.token, and bring it: Authorization: Bearer …"
          })
    )
}
