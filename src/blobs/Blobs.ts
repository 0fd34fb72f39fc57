import { Clock, Context, Duration, Effect, Layer } from "effect"
import { BlobsNotRecoverable, BlobsUndecided, type NoBlobs, TooManyFetches } from "../domain/blobs/BlobErrors.ts"
import { columnsWhere } from "../domain/blobs/ColumnHunt.ts"
import type { FetchedBlobs } from "../domain/blobs/FetchedBlobs.ts"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { versionedHash } from "../domain/column/VersionedHash.ts"
import type { Block } from "../domain/network/Block.ts"
import { columnsToReconstruct } from "../domain/network/Chain.ts"
import type { Externs } from "../host/Externs.ts"
import { Recoverer } from "../kzg/Recoverer.ts"
import type { LiveMatrix } from "../matrix/LiveMatrix.ts"
import type { Peers } from "../peers/Peers.ts"
import type { PeerSet } from "../peers/set/PeerSet.ts"
import { blockOf, type BlockName, rowsOf, type Wanted } from "./BlobBlock.ts"
import { type Chase, type ChaseOptions, type ChaseProgress, makeChase } from "./ColumnChase.ts"

/** What is wanted, and how long it may take. */
export interface BlobRequest extends Wanted {
  readonly block: BlockName
  /** For all of it; 60 s if left out. */
  readonly limit?: Duration.DurationInput | undefined
  /** How long someone new is waited for when everybody who is connected was asked; 3 s if left out. */
  readonly patience?: Duration.DurationInput | undefined
  /** Told now and then how far it is. */
  readonly progress?: ((progress: ChaseProgress) => Effect.Effect<void>) | undefined
}

/**
 * Fetches blobs of blocks whose columns nodes must keep: from the peers that claim the columns, connected or dialled for it,
 * asked in parallel within their budgets and recorded as every probe is, and by recovery where the columns 0 to 63 are not all to be had. What is
 * given is proven against the commitments of the canonical block.
 */
export class Blobs extends Context.Tag("dasmon/Blobs")<
  Blobs,
  { readonly fetch: (request: BlobRequest) => Effect.Effect<FetchedBlobs, NoBlobs> }
>() {
  static readonly layer = Layer.suspend(() => Layer.effect(Blobs, make))
}

const make = Effect.gen(function* () {
  const recoverer = yield* Recoverer
  const context = yield* Effect.context<Externs | CommitmentCache | Peers | PeerSet | LiveMatrix>()
  let underWay = 0

  const run = Effect.fn("Blobs.fetch")(function* ({ block: name, limit, patience, progress, ...wanted }: BlobRequest) {
    const duration = Duration.decode(limit ?? usualLimit)
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(duration)
    /** What is left of the time for all of it. */
    const left = Effect.map(Clock.currentTimeMillis, (now) => Duration.millis(Math.max(0, until - now)))
    const block = yield* inTime(blockOf(name), left, "beacon_node", `not within ${Duration.format(duration)}`)
    const rows = yield* rowsOf(block, wanted)
    const options: ChaseOptions = {
      limit: yield* left,
      patience: Duration.decode(patience ?? usualPatience),
      progress: progress ?? (() => Effect.void)
    }
    const chase = yield* makeChase(block, options)
    yield* chase.run
    const tooLong = `the blobs were not proven within ${Duration.format(duration)}: give it more time`
    return yield* inTime(prove(block, rows, chase), left, "kzg", tooLong)
  }, Effect.scoped)

  /** The blobs of what came; where a column turns out wrong after all, another one is looked for. */
  const prove = Effect.fnUntraced(function* (block: Block, rows: ReadonlyArray<number>, chase: Chase) {
    while (true) {
      const { columns } = chase
      if (columns.size < columnsToReconstruct) {
        return yield* new BlobsNotRecoverable({
          present: columns.size,
          missing: columnsWhere((column) => !columns.has(column)),
          isSettled: chase.isSettled,
          account: chase.account()
        })
      }
      const { bad, blobs, isRecovered } = yield* recoverer.blobs(block, columns, rows).pipe(
        Effect.catchTags({
          BadColumns: ({ bad }) => Effect.succeed({ bad, blobs: [], isRecovered: false }),
          NotRecoverable: ({ message }) => new BlobsUndecided({ fault: "kzg", reason: message }),
          VerifierError: ({ reason }) => new BlobsUndecided({ fault: "kzg", reason })
        })
      )
      for (const { column, detail } of bad) chase.reject(column, detail)
      if (blobs.length === rows.length) {
        return {
          blobs: blobs.map(({ blob, row }) => {
            const commitment = block.commitments[row] ?? new Uint8Array()
            return { index: row, commitment, versionedHash: versionedHash(commitment), blob }
          }),
          isRecovered,
          account: chase.account()
        } satisfies FetchedBlobs
      }
      yield* chase.run
    }
  })

  return Blobs.of({
    fetch: (request) =>
      Effect.suspend((): Effect.Effect<FetchedBlobs, NoBlobs> => {
        if (underWay >= mostAtOnce) return new TooManyFetches({ limit: mostAtOnce, retryAfterSeconds: 5 })
        return Effect.acquireUseRelease(
          Effect.sync(() => underWay++),
          () => Effect.provide(run(request), context),
          () => Effect.sync(() => underWay--)
        )
      })
  })
})

const inTime = <A, E, R>(
  run: Effect.Effect<A, E, R>,
  left: Effect.Effect<Duration.Duration>,
  fault: BlobsUndecided["fault"],
  reason: string
) =>
  Effect.flatMap(left, (duration) =>
    Effect.timeoutFail(Effect.disconnect(run), { duration, onTimeout: () => new BlobsUndecided({ fault, reason }) })
  )

/** Fetched at once: each has 9 MiB in memory at most, at 21 blobs a block. */
const mostAtOnce = 4
const usualLimit = Duration.seconds(60)
const usualPatience = Duration.seconds(3)
