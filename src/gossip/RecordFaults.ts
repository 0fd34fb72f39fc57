import { Clock, Effect, Either, FiberSet } from "effect"
import { makeBucket } from "../domain/Bucket.ts"
import { type SidecarLabel, peekSidecar } from "../domain/column/Sidecar.ts"
import type { GossipFault } from "../domain/gossip/GossipFault.ts"
import { type FaultRule, isFaultRule } from "../domain/gossip/GossipRule.ts"
import { blobParametersAt, type ChainParameters, epochOf, forkAt, slotAt } from "../domain/network/Chain.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import { columnTopic } from "../domain/network/ColumnTopic.ts"
import { EventBus } from "../events/EventBus.ts"
import { EvidenceStore } from "../evidence/EvidenceStore.ts"
import { type GossipEvidence } from "../evidence/GossipEvidence.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { version } from "../Version.ts"
import type { RejectedColumn } from "./JudgeColumn.ts"

/**
 * Tells and records what peers push that is wrong, with evidence. Of one peer that is three an hour, since then it is not
 * listened to; of all together some hundreds at once, and then ten a minute: beyond that they are counted alone.
 */
export const recordFaults = Effect.gen(function* () {
  const { chain } = yield* Externs
  const bus = yield* EventBus
  const history = yield* History
  const evidence = yield* EvidenceStore
  const run = yield* FiberSet.makeRuntime<never>()
  const allowance = makeBucket({ burst: mostAtOnce, perSecond: mostPerSecond })

  return (rejected: RejectedColumn): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const { rule } = rejected.ruling
      if (!isFaultRule(rule) || allowance.room(now) < 1) return Effect.void
      allowance.take(1, now)
      const fault = faultOf(chain, rejected, rule)
      // Neither disk nor database holds up a verdict.
      run(evidence.keep([evidenceOf(chain, rejected, fault)]))
      run(history.recordGossipFault(fault))
      return Effect.asVoid(bus.publish({ _tag: "GossipFault", fault }))
    })
})

const mostAtOnce = 256
const mostPerSecond = 1 / 6

const labelOf = (chain: ChainParameters, { message, topic }: RejectedColumn): SidecarLabel | undefined =>
  Either.getOrUndefined(peekSidecar(forkOf(chain, topic.forkDigest), message.data))

/** The fork of the topic, by which the message was read. */
const forkOf = (chain: ChainParameters, digest: string) => digestTable(chain).get(digest)?.fork ?? "fulu"

const faultOf = (chain: ChainParameters, rejected: RejectedColumn, rule: FaultRule): GossipFault => {
  const label = labelOf(chain, rejected)
  return {
    peerId: rejected.message.from,
    rule,
    detail: rejected.ruling.detail,
    topic: columnTopic(rejected.topic),
    column: label?.index ?? rejected.topic.column,
    slot: label?.slot ?? null,
    blockRoot: label?.blockRoot ?? null,
    at: rejected.at
  }
}

const evidenceOf = (chain: ChainParameters, rejected: RejectedColumn, fault: GossipFault): GossipEvidence => {
  const { at, message, ruling, topic } = rejected
  const slot = fault.slot ?? Math.max(0, slotAt(chain, at))
  const epoch = epochOf(chain, slot)
  const { blockSignature, commitments, publicKey } = ruling.facts ?? {}
  return {
    format: "dasmon evidence",
    version: 1,
    source: "gossip",
    program: `dasmon ${version}`,
    accusation: { rule: fault.rule, column: fault.column, detail: fault.detail, judgedAt: at },
    peer: { peerId: fault.peerId },
    message: { topic: fault.topic, id: `0x${message.id}`, ssz: message.data },
    block: {
      slot,
      root: fault.blockRoot,
      fork: forkOf(chain, topic.forkDigest),
      commitments: commitments ?? null,
      maxBlobsPerBlock: blobParametersAt(chain, epoch).maxBlobsPerBlock
    },
    signedBy: publicKey === undefined ? (blockSignature === undefined ? null : { blockSignature }) : { publicKey },
    network: {
      name: chain.network,
      genesisValidatorsRoot: chain.genesisValidatorsRoot,
      forkVersion: forkAt(chain, epoch).version
    }
  }
}
