import { Clock, Duration, Effect, Metric, Option, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { setNewest } from "../domain/Bounded.ts"
import { equalBytes } from "../domain/Bytes.ts"
import { headerSignature } from "../domain/column/Sidecar.ts"
import { gossipMessages } from "../domain/metrics/Metrics.ts"
import type { Block } from "../domain/network/Block.ts"
import type { ColumnTopic } from "../domain/network/ColumnTopic.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import { Externs } from "../host/Externs.ts"
import type { GossipMessage, GossipVerdict } from "../host/Gossip.ts"
import { expectedOf, Verifier } from "../kzg/Verifier.ts"
import { type Examined, examineColumn } from "./ExamineColumn.ts"

/**
 * Judges column sidecars by the block that our own beacon node has taken for canonical: where the sidecar has that
 * block's header and signature, everything that the specification asks of header, proposer and parents has been
 * checked by the beacon node; inclusion proof and cells are verified here. Whatever cannot be held against a block that is
 * known in time is ignored, and never forwarded.
 */
export const makeJudgeColumn = Effect.gen(function* () {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const verifier = yield* Verifier
  const digests = digestTable(chain)
  /** What peers have sent that was wrong, since when. */
  const offences = new Map<string, { readonly count: number; readonly at: number }>()

  /** The block of the sidecar, once it is canonical; a column comes before its block has been imported. */
  const blockOf = ({ blockRoot, slot }: Examined): Effect.Effect<Option.Option<Block>> =>
    commitments.headSlot.pipe(
      Effect.repeat({ until: (head) => head >= slot, schedule: Schedule.spaced(lookAgain) }),
      Effect.zipRight(Effect.option(commitments.range({ start: slot, end: slot }))),
      Effect.map((facts) =>
        Option.flatMap(facts, ([fact]) =>
          fact?._tag === "Block" && fact.block.root === blockRoot ? Option.some(fact.block) : Option.none()
        )
      ),
      Effect.timeoutTo({ duration: blockLimit, onSuccess: (block) => block, onTimeout: () => Option.none() })
    )

  const verify = (examined: Examined, block: Block, ssz: Uint8Array): Effect.Effect<GossipVerdict> =>
    verifier
      // Anyone can send what has to be verified: probes come first.
      .verify([{ ...expectedOf(chain, block), fork: examined.fork, ssz }], { isLast: true })
      .pipe(
        Effect.map(([verdict]): GossipVerdict => {
          if (verdict?._tag === "Valid") return "accept"
          return verdict?._tag === "Invalid" ? "reject" : "ignore"
        }),
        Effect.orElseSucceed(() => "ignore" as const)
      )

  const judge = Effect.fnUntraced(function* (topic: ColumnTopic, { data }: GossipMessage) {
    const now = yield* Clock.currentTimeMillis
    const finalizedEpoch = Option.match(yield* commitments.finalized, { onNone: () => 0, onSome: ({ epoch }) => epoch })
    const examined = examineColumn({ chain, digests, now, finalizedEpoch }, topic, data)
    if (examined._tag === "Left") return examined.left
    const block = Option.getOrUndefined(yield* blockOf(examined.right))
    if (block === undefined) return "ignore"
    const own = headerSignature(examined.right.fork, data)
    if (Option.isSome(own)) {
      // Without the block's own signature nobody can say whether this one is the proposer's.
      if (Option.isNone(block.signature)) return "ignore"
      if (!equalBytes(own.value, block.signature.value)) return "reject"
    }
    return yield* verify(examined.right, block, data)
  })

  return (topic: ColumnTopic, message: GossipMessage): Effect.Effect<GossipVerdict> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const before = offences.get(message.from)
      const isFresh = before !== undefined && now - before.at < offenceMs
      const verdict = isFresh && before.count >= mostOffences ? "ignore" : yield* judge(topic, message)
      if (verdict === "reject") {
        setNewest(offences, message.from, { count: (isFresh ? before.count : 0) + 1, at: now }, mostOffenders)
      }
      yield* Metric.increment(gossipMessages.of({ verdict }))
      return verdict
    })
})

const lookAgain = Duration.millis(200)
/** For the beacon node to import the block, and to tell it. */
const blockLimit = Duration.seconds(6)
/** Who has sent so many wrong sidecars within the time is not listened to. */
const mostOffences = 3
const offenceMs = 3_600_000
const mostOffenders = 4096
