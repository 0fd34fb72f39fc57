import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import type { Layer } from "effect"
import { withEtag } from "../handlers/JsonResponse.ts"
import * as DocsPage from "../page/DocsPage.ts"
import { openApiText } from "./OpenApiText.ts"
import * as Page from "../page/Page.ts"
import type { MethodsByPath } from "../server/Routes.ts"

/** The dashboard, the description of the API, and the same for people. */
export const layer: Layer.Layer<never, never, HttpLayerRouter.HttpRouter> = HttpLayerRouter.use((router) => {
  const openApi = openApiText()
  return router.addAll([
    page("/", Page.page, Page.contentSecurityPolicy),
    page("/docs", DocsPage.page, DocsPage.contentSecurityPolicy),
    HttpLayerRouter.route("GET", "/openapi.json", () =>
      withEtag(HttpServerResponse.text(openApi, { contentType: "application/json" }), openApi)
    )
  ])
})

export const methods: MethodsByPath = new Map([
  ["/", ["GET"]],
  ["/docs", ["GET"]],
  ["/openapi.json", ["GET"]]
])

const page = (path: HttpLayerRouter.PathInput, text: string, contentSecurityPolicy: string) =>
  HttpLayerRouter.route("GET", path, () => {
    const response = HttpServerResponse.html(text)
    return withEtag(HttpServerResponse.setHeader(response, "content-security-policy", contentSecurityPolicy), text)
  })
