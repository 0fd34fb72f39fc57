import { Clock, Duration, Effect, ExecutionStrategy, Exit, Layer, Option, Schedule, Scope } from "effect"
import { SubscribedColumns } from "../arrival/SubscribedColumns.ts"
import { sidecarBytes } from "../domain/column/Sidecar.ts"
import { blobParametersAt, custodyRequirement, epochOf, numberOfColumns, slotAt } from "../domain/network/Chain.ts"
import { type ColumnTopic, columnTopic, columnTopicsAt } from "../domain/network/ColumnTopic.ts"
import { columnsOfPeerId } from "../domain/peer/ColumnsOfPeerId.ts"
import { Externs } from "../host/Externs.ts"
import { Gossip, type GossipMessage, type GossipVerdict } from "../host/Gossip.ts"
import { Host } from "../host/Host.ts"
import { SecondHost } from "../host/SecondHost.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeJudgeColumn } from "./JudgeColumn.ts"
import { makeJudgeHeader } from "./JudgeHeader.ts"
import { tellColumns } from "./TellColumns.ts"

/** Which columns our node is on the topics of, and whether on any. */
export interface ColumnGossipOptions {
  /** `participate` differs from `observe` in what is kept and said elsewhere. */
  readonly mode: "off" | "observe" | "participate"
  /** What our node id owes at `custodyGroupCount`, or these. */
  readonly columns: "custody" | "all" | ReadonlyArray<number>
  readonly custodyGroupCount: number
}

/**
 * Is on the gossip topics of columns for as long as the layer lives, under the fork digest of the clock: at a step of the
 * blob limit it joins the new topics two slots before, and leaves the old ones two slots after; with more than 200 topics
 * in between, in steps. Messages are forwarded once they are verified, and only then. Does nothing where the host gives no
 * `Gossip`. A second identity is on those of its own four custody columns, unless the mode is off.
 */
export const layer = (options: ColumnGossipOptions) =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      if (options.mode === "off") return
      const { connected, peerId } = yield* Host
      const second = Option.getOrUndefined(yield* SecondHost)
      const gossip = yield* Effect.serviceOption(Gossip)
      const { tell } = yield* SubscribedColumns
      const headers = yield* makeJudgeHeader
      const told = yield* tellColumns
      if (Option.isSome(gossip)) {
        const judge = yield* makeJudgeColumn(headers, told)
        const tellHeard = (topics: ReadonlyArray<ColumnTopic>) =>
          Effect.flatMap(connected, (peers) => {
            const heard = new Set(peers.flatMap(({ peerId }) => gossip.value.columnTopicsOf(peerId)))
            const columnOf = ({ column }: ColumnTopic) => column
            return tell(topics.map(columnOf), topics.filter((topic) => heard.has(columnTopic(topic))).map(columnOf))
          })
        const hearing = { judge, tell: tellHeard, copied: told.copied, dropped: told.dropped }
        yield* gossipOf("column gossip", gossip.value, columnsOf(options, peerId), hearing)
      }
      if (second?.gossip !== undefined) {
        // What it hears the first hears too, or would: when columns came is counted once.
        const judge = yield* makeJudgeColumn(headers, {
          ...told,
          accepted: told.held,
          examined: () => {},
          unjudged: () => Effect.void
        })
        const own = columnsOf(ofSecond, second.host.peerId)
        const silent = { judge, tell: () => Effect.void, copied: () => {}, dropped: () => {} }
        yield* gossipOf("column gossip of the second identity", second.gossip, own, silent)
      }
    })
  )

/** Nothing that the first is set to do may tell that the second is ours too. */
const ofSecond = { mode: "observe", columns: "custody", custodyGroupCount: custodyRequirement } as const

/**
 * Those that a node with this id owes come first, and are always among them where it keeps them. None where the id does not
 * tell, and they are those of its custody.
 */
const columnsOf = (
  { columns, custodyGroupCount, mode }: ColumnGossipOptions,
  peerId: PeerId
): ReadonlyArray<number> => {
  const owed = columnsOfPeerId(peerId, custodyGroupCount)
  if (columns === "custody") return owed
  const wanted = columns === "all" ? Array.from({ length: numberOfColumns }, (_, column) => column) : columns
  const first = mode === "participate" ? owed : owed.filter((column) => wanted.includes(column))
  return [...first, ...wanted.filter((column) => !owed.includes(column))]
}

interface Hearing {
  readonly judge: (topic: ColumnTopic, message: GossipMessage) => Effect.Effect<GossipVerdict>
  readonly copied: (id: string) => void
  readonly dropped: (topic: ColumnTopic, data: Option.Option<Uint8Array>) => void
  readonly tell: (topics: ReadonlyArray<ColumnTopic>) => Effect.Effect<void>
}

const gossipOf = Effect.fnUntraced(function* (
  name: string,
  gossip: Gossip["Type"],
  columns: ReadonlyArray<number>,
  { copied, dropped, judge, tell }: Hearing
) {
  if (columns.length === 0) return
  const { chain } = yield* Externs
  const scope = yield* Effect.scope
  const joined = new Map<string, Scope.CloseableScope>()

  const join = Effect.fnUntraced(function* (topic: ColumnTopic, mostBytes: number) {
    const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    joined.set(columnTopic(topic), own)
    yield* gossip
      .join(columnTopic(topic), {
        mostBytes,
        judge: (message) => judge(topic, message),
        copied,
        dropped: (data) => dropped(topic, data)
      })
      .pipe(Scope.extend(own))
  })

  const move = Effect.gen(function* () {
    const slot = Math.max(0, slotAt(chain, yield* Clock.currentTimeMillis))
    const wanted = columnTopicsAt(chain, columns, slot, mostTopics)
    const names = new Set(wanted.map(columnTopic))
    const limit = Math.max(
      ...[slot, slot + chain.slotsPerEpoch].map((at) => blobParametersAt(chain, epochOf(chain, at)).maxBlobsPerBlock)
    )
    // Before any other is joined: never more at once.
    yield* Effect.forEach(
      [...joined].filter(([name]) => !names.has(name)),
      ([name, own]) => {
        joined.delete(name)
        return Scope.close(own, Exit.void)
      },
      { discard: true }
    )
    yield* Effect.forEach(
      wanted.filter((topic) => !joined.has(columnTopic(topic))),
      (topic) => join(topic, sidecarBytes("fulu", limit)),
      { discard: true }
    )
    yield* tell(wanted)
  }).pipe(Effect.uninterruptible)
  yield* daemon(name, move, Schedule.spaced(Duration.millis(chain.slotDurationMs / 2)))
})

/** Teku takes no more in one message, which is how all topics are told to whoever connects. */
const mostTopics = 200
