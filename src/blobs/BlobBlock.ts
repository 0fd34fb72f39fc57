import { Clock, Effect, Option, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { BlobsUndecided, EmptySlot, NoSuchBlob, OutOfRetention, UnknownBlock } from "../domain/blobs/BlobErrors.ts"
import { toHex } from "../domain/Bytes.ts"
import { versionedHash } from "../domain/column/VersionedHash.ts"
import { type Block, hasColumns } from "../domain/network/Block.ts"
import { serveRange, slotAt } from "../domain/network/Chain.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import { BlockRoots } from "../host/BlockRoots.ts"
import { Externs, type ExternsError } from "../host/Externs.ts"

/** A block, by its slot on the canonical chain or by its root. */
export type BlockName = { readonly slot: Slot } | { readonly root: Root }

/** Which of its blobs; all if both are left out, and each once if both name it. */
export interface Wanted {
  readonly indices?: ReadonlyArray<number>
  /** `0x` and 64 digits each. */
  readonly versionedHashes?: ReadonlyArray<string>
}

/** The canonical block of that name, which has blobs, and whose columns nodes must keep. */
export const blockOf = Effect.fn("Blobs.blockOf")(function* (name: BlockName) {
  const { chain, chainHead } = yield* Externs
  const commitments = yield* CommitmentCache
  const roots = yield* BlockRoots
  const slot = "slot" in name ? name.slot : yield* slotOf(name.root, roots(name.root))
  const { end, start } = serveRange(chain, slotAt(chain, yield* Clock.currentTimeMillis))
  if (slot < start || slot > end) return yield* new OutOfRetention({ slot, from: start, to: end })
  if (slot > (yield* commitments.headSlot)) {
    const head = yield* answering(chainHead)
    if (slot > head.slot) return yield* new OutOfRetention({ slot, from: start, to: head.slot })
    // The program has just begun: the memory hears of the head in a moment.
    yield* answering(Effect.repeat(commitments.headSlot, { until: (known) => known >= slot, schedule: headSchedule }))
  }
  const [facts] = yield* answering(commitments.range({ start: slot, end: slot }))
  if (facts === undefined) return yield* undecided(`it does not tell what is in slot ${slot}`)
  if ("root" in name && (facts._tag === "Empty" || facts.block.root !== name.root)) {
    return yield* new UnknownBlock({ blockRoot: name.root, reason: `it is not the canonical block of slot ${slot}` })
  }
  if (facts._tag === "Empty") return yield* new EmptySlot({ slot })
  return yield* withColumns(facts.block)
})

/** The rows that are wanted, ascending. */
export const rowsOf = (
  { commitments, slot }: Block,
  { indices = [], versionedHashes = [] }: Wanted
): Effect.Effect<ReadonlyArray<number>, NoSuchBlob> => {
  if (indices.length + versionedHashes.length === 0) return Effect.succeed(commitments.map((_, row) => row))
  const hashes = versionedHashes.length === 0 ? [] : commitments.map((commitment) => toHex(versionedHash(commitment)))
  const above = indices.find((index) => index >= commitments.length)
  if (above !== undefined) {
    return new NoSuchBlob({ slot, reason: `there is no blob ${above}: the block has ${commitments.length}` })
  }
  const unknown = versionedHashes.find((hash) => !hashes.includes(hash))
  if (unknown !== undefined) {
    return new NoSuchBlob({
      slot,
      reason: `none of the block's ${commitments.length} blobs has the versioned hash ${unknown}`
    })
  }
  const rows = new Set([...indices, ...versionedHashes.map((hash) => hashes.indexOf(hash))])
  return Effect.succeed([...rows].sort((a, b) => a - b))
}

const slotOf = (root: Root, looked: Effect.Effect<Option.Option<Slot>, ExternsError>) =>
  Effect.flatMap(
    answering(looked),
    Option.match({
      onNone: () => new UnknownBlock({ blockRoot: root, reason: "the beacon node knows no such block" }),
      onSome: Effect.succeed
    })
  )

const withColumns = (block: Block): Effect.Effect<Block, NoSuchBlob> => {
  if (hasColumns(block)) return Effect.succeed(block)
  const { commitments, payload, slot } = block
  const reason =
    commitments.length === 0
      ? "its block has no blobs"
      : payload === "empty"
        ? "the payload of its block was never revealed, and so there are no columns of its blobs"
        : "it is not known yet whether the payload of its block was revealed"
  return new NoSuchBlob({ slot, reason })
}

const answering = <A>(answer: Effect.Effect<A, ExternsError>): Effect.Effect<A, BlobsUndecided> =>
  answer.pipe(
    Effect.catchAll(({ message }) => undecided(message)),
    Effect.timeoutFail({
      duration: chainLimit,
      onTimeout: () => new BlobsUndecided({ fault: "beacon_node", reason: `no answer within ${chainLimit}` })
    })
  )

const undecided = (reason: string): BlobsUndecided => new BlobsUndecided({ fault: "beacon_node", reason })

const chainLimit = "20 seconds"
const headSchedule = Schedule.spaced("50 millis")
