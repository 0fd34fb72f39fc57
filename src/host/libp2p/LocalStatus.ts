import { Clock, Effect, Ref, Schedule, type Scope } from "effect"
import type { Head } from "../../domain/network/Block.ts"
import { toHex } from "../../domain/Bytes.ts"
import { type ChainParameters, epochOf, slotAt } from "../../domain/network/Chain.ts"
import { forkDigestAt } from "../../domain/network/ForkDigest.ts"
import type { StatusMessage } from "../../wire/Handshake.ts"

/**
 * What we say of ourselves: the fork digest of the clock, a head that is asked for every slot, and that we have nothing
 * before it. The finalized checkpoint of genesis is accepted by everyone, and cannot be wrong.
 */
export const makeLocalStatus = (
  chain: ChainParameters,
  head: Effect.Effect<Head, unknown>
): Effect.Effect<Effect.Effect<StatusMessage>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const last = yield* Ref.make<Head>({ slot: 0, root: zeroRoot })
    const refresh = Effect.ignore(Effect.flatMap(head, (head) => Ref.set(last, head)))
    yield* Effect.timeoutOption(refresh, "5 seconds")
    yield* Effect.forkScoped(Effect.schedule(refresh, Schedule.spaced(chain.slotDurationMs)))
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

const zeroRoot = `0x${"00".repeat(32)}`
