/** The package `dasmon/xatu`: shipping to a Xatu server, over gRPC or HTTP. */

export type { XatuConfig } from "../config/XatuConfig.ts"
export * as Xatu from "../xatu/Xatu.ts"
export { XatuError } from "../xatu/XatuError.ts"
