import { OpenApi } from "@effect/platform"
import { Api } from "./Api.ts"
import { meaningOf } from "./ApiErrors.ts"

/** The description of the API (OpenAPI 3.1), as JSON. */
export const openApiText = (): string => {
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
