import { Clock, Duration, Effect, Ref, Schedule, type Scope } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import type { Head } from "../../domain/network/Block.ts"
import { type ChainParameters, epochOf, slotAt } from "../../domain/network/Chain.ts"
import { forkDigestAt } from "../../domain/network/ForkDigest.ts"
import { daemon } from "../../runtime/Daemon.ts"
import type { StatusMessage } from "../../wire/Handshake.ts"
import type { ExternsError } from "../Externs.ts"

/**
 * What we say of ourselves: the fork digest of the clock, a head that is asked for every slot, and that we have nothing
 * before it. While the chain cannot be asked it is the last head. The finalized checkpoint of genesis is accepted by
 * everyone, and cannot be wrong.
 */
export const makeLocalStatus = (
  chain: ChainParameters,
  chainHead: Effect.Effect<Head, ExternsError>
): Effect.Effect<Effect.Effect<StatusMessage>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const last = yield* Ref.make<Head>({ slot: 0, root: zeroRoot })
    const asked = yield* Effect.makeLatch()
    const refresh = Effect.matchEffect(chainHead, {
      onSuccess: (head) => Ref.set(last, head),
      onFailure: ({ message }) => Effect.logDebug(`our status keeps its head: ${message}`)
    })
    const everySlot = Schedule.spaced(Duration.millis(chain.slotDurationMs))
    yield* daemon("the refreshing of our status", Effect.ensuring(refresh, asked.open), everySlot)
    yield* Effect.timeoutOption(asked.await, firstHeadLimit)
    return Effect.gen(function* () {
      const { root, slot } = yield* Ref.get(last)
      const now = Math.max(0, slotAt(chain, yield* Clock.currentTimeMillis))
      return {
        forkDigest: toHex(forkDigestAt(chain, epochOf(chain, now))),
        finalizedRoot: zeroRoot,
        finalizedEpoch: 0,
        headRoot: root,
        headSlot: slot,
        earliestAvailableSlot: slot
      }
    })
  })

/** How long the first head is waited for. */
const firstHeadLimit = Duration.seconds(5)

const zeroRoot = `0x${"00".repeat(32)}`
