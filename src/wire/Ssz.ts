import { Either } from "effect"
import { WireError } from "./WireError.ts"
import { messageOf } from "../domain/Text.ts"

/** What is used of an SSZ type. */
export interface SszType<A> {
  readonly deserialize: (bytes: Uint8Array) => A
}

/** `bytes` as a value of `type`; bytes that are no encoding of it give an error, never a throw. */
export const decodeSsz = <A>(type: SszType<A>, bytes: Uint8Array): Either.Either<A, WireError> =>
  Either.try({
    try: () => type.deserialize(bytes),
    catch: (error) => new WireError({ reason: "bad_ssz", detail: messageOf(error) })
  })

/** A uint64 as a whole number that is exact: everything from 2^53 on becomes 2^53-1. */
export const saturate = (value: number | bigint): number =>
  value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : Number(value)
