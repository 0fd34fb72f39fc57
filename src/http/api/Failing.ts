import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import type { Schema } from "effect"
import { type ApiError, meaningOf, statusOf } from "./ApiErrors.ts"

/** An error of the API with its status, and what it means. */
export const failing = <A extends ApiError, I, R>(error: Schema.Schema<A, I, R>, tag: A["_tag"]) =>
  error.annotations(HttpApiSchema.annotations({ status: statusOf[tag], description: meaningOf[tag] }))
