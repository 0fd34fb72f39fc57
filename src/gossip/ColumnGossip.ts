import { Clock, Duration, Effect, Either, ExecutionStrategy, Exit, Layer, Option, Schedule, Scope } from "effect"
import { custodyColumns } from "../domain/column/Custody.ts"
import { sidecarBytes } from "../domain/column/Sidecar.ts"
import { blobParametersAt, custodyRequirement, epochOf, slotAt } from "../domain/network/Chain.ts"
import { type ColumnTopic, columnTopic, columnTopicsAt } from "../domain/network/ColumnTopic.ts"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import { Externs } from "../host/Externs.ts"
import { Gossip } from "../host/Gossip.ts"
import { Host } from "../host/Host.ts"
import { SecondHost } from "../host/SecondHost.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeJudgeColumn } from "./JudgeColumn.ts"

/**
 * Is on the gossip topics of our own custody columns for as long as the layer lives, under the fork digest of the clock:
 * at a step of the blob limit it joins the new topics two slots before, and leaves the old ones two slots after.
 * Messages are forwarded once they are verified, and only then. Does nothing where the host gives no `Gossip`. A second
 * identity is on those of its own.
 */
export const layer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { peerId } = yield* Host
    const second = Option.getOrUndefined(yield* SecondHost)
    const gossip = yield* Effect.serviceOption(Gossip)
    if (Option.isSome(gossip)) yield* gossipOf("column gossip", peerId, gossip.value)
    if (second?.gossip !== undefined) {
      yield* gossipOf("column gossip of the second identity", second.host.peerId, second.gossip)
    }
  })
)

const gossipOf = Effect.fnUntraced(function* (name: string, peerId: PeerId, gossip: Gossip["Type"]) {
  const { chain } = yield* Externs
  const nodeId = Either.getRight(nodeIdOfPeerId(peerId))
  if (Option.isNone(nodeId)) return
  const judge = yield* makeJudgeColumn
  const columns = custodyColumns(nodeId.value, custodyRequirement)
  const scope = yield* Effect.scope
  const joined = new Map<string, Scope.CloseableScope>()

  const join = Effect.fnUntraced(function* (topic: ColumnTopic, mostBytes: number) {
    const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    joined.set(columnTopic(topic), own)
    yield* gossip
      .join(columnTopic(topic), { mostBytes, judge: (message) => judge(topic, message) })
      .pipe(Scope.extend(own))
  })

  const move = Effect.gen(function* () {
    const slot = Math.max(0, slotAt(chain, yield* Clock.currentTimeMillis))
    const wanted = columnTopicsAt(chain, columns, slot)
    const names = new Set(wanted.map(columnTopic))
    const limit = Math.max(
      ...[slot, slot + chain.slotsPerEpoch].map((at) => blobParametersAt(chain, epochOf(chain, at)).maxBlobsPerBlock)
    )
    yield* Effect.forEach(
      wanted.filter((topic) => !joined.has(columnTopic(topic))),
      (topic) => join(topic, sidecarBytes("fulu", limit)),
      { discard: true }
    )
    yield* Effect.forEach(
      [...joined].filter(([name]) => !names.has(name)),
      ([name, own]) => {
        joined.delete(name)
        return Scope.close(own, Exit.void)
      },
      { discard: true }
    )
  }).pipe(Effect.uninterruptible)
  yield* daemon(name, move, Schedule.spaced(Duration.millis(chain.slotDurationMs / 2)))
})
