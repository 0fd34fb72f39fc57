import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { Effect, type Layer } from "effect"
import { Api } from "../api/Api.ts"
import { meaningOf } from "../api/ApiErrors.ts"
import { withEtag } from "../handlers/JsonResponse.ts"
import type { MethodsByPath } from "../server/Routes.ts"
import { type Page, readPage } from "./Page.ts"

/** The dashboard, the description of the API, and the same for people. */
export const layer: Layer.Layer<never, never, HttpLayerRouter.HttpRouter> = HttpLayerRouter.use((router) =>
  Effect.gen(function* () {
    const openApi = openApiText()
    yield* router.addAll([
      pageRoute("/", yield* readPage("dashboard.html")),
      pageRoute("/docs", yield* readPage("docs.html")),
      HttpLayerRouter.route("GET", "/openapi.json", () =>
        withEtag(HttpServerResponse.text(openApi, { contentType: "application/json" }), openApi)
      )
    ])
  })
)

export const methods: MethodsByPath = new Map([
  ["/", ["GET"]],
  ["/docs", ["GET"]],
  ["/openapi.json", ["GET"]]
])

const pageRoute = (path: HttpLayerRouter.PathInput, { contentSecurityPolicy, html }: Page) =>
  HttpLayerRouter.route("GET", path, () => {
    const response = HttpServerResponse.html(html)
    return withEtag(HttpServerResponse.setHeader(response, "content-security-policy", contentSecurityPolicy), html)
  })

/** The description of the API (OpenAPI 3.1), as JSON. */
const openApiText = (): string => {
  const { components, paths, ...rest } = OpenApi.fromApi(Api)
  // The library's own error for parameters never comes up: they are checked before.
  const { HttpApiDecodeError: _, Issue: __, PropertyKey: ___, ...schemas } = components.schemas
  return JSON.stringify({ ...rest, components: { ...components, schemas }, paths }, (key, value: unknown) =>
    key === "400" ? badParameter : value
  )
}

const badParameter = {
  description: meaningOf.BadParameter,
  content: { "application/json": { schema: { $ref: "#/components/schemas/BadParameter" } } }
}
