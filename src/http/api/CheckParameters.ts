import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { Effect, Either, Layer, Option, ParseResult, Schema, SchemaAST } from "effect"
import { Api, CheckedParameters } from "./Api.ts"
import { BadParameter } from "./ApiErrors.ts"

/** Holds every request for a described path against its schemas. */
export const layer: Layer.Layer<CheckedParameters> = Layer.sync(CheckedParameters, () => {
  const endpoints = new Map<string, Endpoint>()
  HttpApi.reflect(Api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint }) =>
      void endpoints.set(`${endpoint.method} ${endpoint.path}`, {
        path: Option.map(endpoint.pathSchema, decoderOf),
        query: Option.map(endpoint.urlParamsSchema, (schema) => ({ decode: decoderOf(schema), names: namesOf(schema) }))
      })
  })
  return Effect.gen(function* () {
    const { params, route } = yield* HttpRouter.RouteContext
    const query = yield* HttpServerRequest.ParsedSearchParams
    const endpoint = endpoints.get(`${route.method} ${route.path}`)
    if (endpoint === undefined) return
    if (Option.isSome(endpoint.path)) yield* check("path", endpoint.path.value, params)
    const names = Option.match(endpoint.query, {
      onNone: (): ReadonlyArray<string> => [],
      onSome: ({ names }) => names
    })
    for (const [name, value] of Object.entries(query)) {
      if (!names.includes(name)) {
        const allowed = names.length === 0 ? "this path takes none" : `this path takes ${names.join(", ")}`
        return yield* bad("query", name, `no such parameter: ${allowed}`)
      }
      if (Array.isArray(value)) return yield* bad("query", name, "given more than once")
    }
    if (Option.isSome(endpoint.query)) yield* check("query", endpoint.query.value.decode, query)
  })
})

interface Endpoint {
  readonly path: Option.Option<Decode>
  readonly query: Option.Option<{ readonly decode: Decode; readonly names: ReadonlyArray<string> }>
}

type Place = BadParameter["in"]
type Decode = (input: unknown) => Either.Either<unknown, ParseResult.ParseError>

const decoderOf = (schema: Schema.Schema.All): Decode => Schema.decodeUnknownEither(Schema.make<unknown>(schema.ast))

const check = (place: Place, decode: Decode, values: unknown): Effect.Effect<void, BadParameter> =>
  Either.match(decode(values), {
    onRight: () => Effect.void,
    onLeft: (error) => {
      const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
      return bad(place, String(issue?.path[0] ?? ""), issue?.message ?? "not allowed")
    }
  })

const bad = (place: Place, parameter: string, reason: string) =>
  new BadParameter({ in: place, parameter: parameter.slice(0, maxEchoed), reason })

/** Characters of an unknown name that an error repeats. */
const maxEchoed = 50

const namesOf = (schema: Schema.Schema.All): ReadonlyArray<string> =>
  SchemaAST.getPropertySignatures(SchemaAST.encodedAST(schema.ast)).map(({ name }) => String(name))
