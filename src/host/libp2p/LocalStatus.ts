import { Clock, Duration, Effect, Ref, Schedule, type Scope } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import type { Head } from "../../domain/network/Block.ts"
import { type ChainParameters, epochOf, slotAt } from "../../domain/network/Chain.ts"
import { forkDigestAt } from "../../domain/network/ForkDigest.ts"
import { daemon } from "../../runtime/Daemon.ts"
import type { StatusMessage } from "../../wire/Handshake.ts"
import type { ExternsError } from "../Externs.ts"
import { type CheckpointSource, makeOldCheckpoint } from "./OldCheckpoint.ts"

export interface StatusSource extends CheckpointSource {
  readonly head: Effect.Effect<Head, ExternsError>
}

/**
 * What we say of ourselves: the fork digest of the clock, a head that is asked for every slot, that we have nothing
 * before it, and an old checkpoint (`OldCheckpoint`). While the chain cannot be asked it is what it said last.
 */
export const makeLocalStatus = (
  chain: ChainParameters,
  source: StatusSource
): Effect.Effect<Effect.Effect<StatusMessage>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const last = yield* Ref.make<Head>({ slot: 0, root: zeroRoot })
    const checkpoint = yield* makeOldCheckpoint(chain, source)
    const asked = yield* Effect.makeLatch()
    const refresh = Effect.matchEffect(source.head, {
      onSuccess: (head) => Effect.zipRight(Ref.set(last, head), checkpoint.refresh(head)),
      onFailure: ({ message }) => Effect.logDebug(`our status keeps its head: ${message}`)
    })
    const everySlot = Schedule.spaced(Duration.millis(chain.slotDurationMs))
    yield* daemon("the refreshing of our status", Effect.ensuring(refresh, asked.open), everySlot)
    yield* Effect.timeoutOption(asked.await, firstHeadLimit)
    return Effect.gen(function* () {
      const { root, slot } = yield* Ref.get(last)
      const finalized = yield* checkpoint.current
      const now = Math.max(0, slotAt(chain, yield* Clock.currentTimeMillis))
      return {
        forkDigest: toHex(forkDigestAt(chain, epochOf(chain, now))),
        finalizedRoot: finalized.root,
        finalizedEpoch: finalized.epoch,
        headRoot: root,
        headSlot: slot,
        earliestAvailableSlot: slot
      }
    })
  })

/** How long the first head is waited for. */
const firstHeadLimit = Duration.seconds(5)

const zeroRoot = `0x${"00".repeat(32)}`
