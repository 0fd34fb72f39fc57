import { Clock, Effect, Either, Option } from "effect"
import { equalBytes } from "../../domain/Bytes.ts"
import { decodeNodeRecord } from "../../domain/peer/NodeRecord.ts"
import { readPrivate, writePrivate } from "../../runtime/PrivateFile.ts"

/** Where our own ENR is kept: next to the private key. */
export const recordFileOf = (identityFile: string): string => `${identityFile}.enr`

/**
 * The sequence number with which the ENR of a node begins at this start: above every one that it had, also when its clock
 * was set back. It is at least the milliseconds since 1970, so that a file that was lost does no harm.
 */
export const firstSequence = Effect.fn("RecordFile.firstSequence")(function* (
  path: string | undefined,
  nodeId: Uint8Array
) {
  const now = BigInt(yield* Clock.currentTimeMillis)
  const text = path === undefined ? Option.none<string>() : yield* Effect.catchAll(readPrivate(path), told)
  const kept = Option.flatMap(text, (text) => Either.getRight(decodeNodeRecord(text)))
  // What another key signed says nothing of this one.
  const before = Option.filter(kept, (record) => equalBytes(record.nodeId, nodeId))
  return Option.match(before, { onNone: () => now, onSome: ({ seq }) => (seq >= now ? seq + 1n : now) })
})

/** Keeps our ENR as it is now. What stands in the way is told, and nothing else comes of it. */
export const keepRecord = (path: string, enr: string) => Effect.catchAll(writePrivate(path, `${enr}\n`), told)

const told = (error: { readonly message: string }) =>
  Effect.as(
    Effect.logWarning(`${error.message}; our ENR may seem older than it is to others if the clock is set back`),
    Option.none<string>()
  )
