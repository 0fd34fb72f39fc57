import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Either, Layer, Option, Stream, TestClock } from "effect"
import { makeBlobPool } from "../../src/devnet/chain/BlobPool.ts"
import { blockAtOrBefore, genesisState, grow } from "../../src/devnet/chain/ChainState.ts"
import { encodeSidecar, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { validatorKey } from "../../src/devnet/chain/Validators.ts"
import type { FaultRule, Ruling } from "../../src/domain/gossip/GossipRule.ts"
import { columnTopic, type ColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import { examineGossip } from "../../src/evidence/ExamineGossip.ts"
import {
  type AnyEvidence,
  decodeAnyEvidence,
  encodeAnyEvidence,
  isOfGossip
} from "../../src/evidence/GossipEvidence.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import { recordFaults } from "../../src/gossip/RecordFaults.ts"
import { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { loadKzg } from "../../src/kzg/Kzg.ts"
import { hexMessageId } from "../../src/wire/gossip/MessageId.ts"
import { blockFrom, columnOf, parameters, pointless, seed, topicOf, withHeader } from "./Columns.ts"

// The trusted setup takes seconds of a busy core.
beforeAll(() => Effect.runPromise(Effect.asVoid(loadKzg)))

const block = blockFrom(130)
const topic = topicOf(block.slot, 7)
const good = columnOf(block, 7)
const other = (block.header.message.proposerIndex + 1) % 1024
const publicKey = validatorKey(seed, block.header.message.proposerIndex)

/** What it says that are commitments are no points. */
const crooked = pointless.blockFrom(130)

const faults: ReadonlyArray<readonly [FaultRule, Uint8Array, Ruling["facts"], ColumnTopic]> = [
  ["structure", columnOf(block, 7, (sidecar) => ({ ...sidecar, kzgProofs: [] })), undefined, topic],
  ["structure", good.subarray(0, 300), undefined, topic],
  ["wrong_subnet", good, undefined, topicOf(block.slot, 8)],
  ["signature", columnOf(block, 7, withHeader({}, other)), { publicKey }, topic],
  ["signature", columnOf(block, 7, withHeader({}, other)), { blockSignature: block.header.signature }, topic],
  [
    "inclusion_proof",
    columnOf(block, 7, (sidecar) => ({
      ...sidecar,
      kzgCommitmentsInclusionProof: sidecar.kzgCommitmentsInclusionProof.map(() => new Uint8Array(32))
    })),
    undefined,
    topic
  ],
  ["kzg_proof", columnOf(crooked, 7), undefined, topicOf(crooked.slot, 7)],
  ["wrong_proposer", columnOf(block, 7, withHeader({ proposerIndex: other })), undefined, topic]
]

const withRecorder = <A, E>(
  body: (
    record: Effect.Effect.Success<typeof recordFaults>,
    pieces: Map<string, AnyEvidence>
  ) => Effect.Effect<A, E, History | EventBus>
) => {
  const pieces = new Map<string, AnyEvidence>()
  return Effect.gen(function* () {
    const record = yield* recordFaults
    return yield* body(record, pieces)
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        Layer.mock(Externs, { chain: parameters }),
        MemoryEvidence.layer(undefined, pieces),
        MemoryHistory.layer,
        MemoryEventBus.layer()
      )
    )
  )
}

const rejected = (rule: FaultRule, data: Uint8Array, facts: Ruling["facts"], on: ColumnTopic, from = "16Uiu2a") => ({
  ruling: { rule, detail: "as it is", ...(facts === undefined ? {} : { facts }) },
  topic: on,
  message: { from, data, id: hexMessageId(columnTopic(on), data) },
  at: block.slot * 1000 + 400
})

describe("a wrong column by gossip", () => {
  it.scoped.each([...faults])(
    "that breaks %s is an event, in the history, and evidence that holds",
    ([rule, data, facts, on]) =>
      withRecorder((record, pieces) =>
        Effect.gen(function* () {
          const { events } = yield* (yield* EventBus).subscribeFrom(0)
          yield* record(rejected(rule, data, facts, on))
          yield* TestClock.adjust("1 second")
          const { faults, last } = yield* (yield* History).gossipFaults("16Uiu2a")
          assert.strictEqual(faults, 1)
          assert.deepInclude(last[0], { rule, topic: columnTopic(on), peerId: "16Uiu2a", at: block.slot * 1000 + 400 })
          const event = Option.getOrUndefined(yield* Stream.runHead(events))
          assert.strictEqual(event?._tag, "GossipFault")
          const [piece] = [...pieces.values()]
          assert.isDefined(piece)
          const text = encodeAnyEvidence(piece)
          const read = Either.getOrThrow(decodeAnyEvidence(text))
          assert.isTrue(isOfGossip(read))
          if (!isOfGossip(read)) return
          const { believed, holds, steps } = yield* examineGossip(yield* loadKzg, read)
          assert.isTrue(holds, JSON.stringify(steps))
          assert.isNotEmpty(believed)
          // Of another rule, or with another message, the accusation does not hold.
          const honest = yield* examineGossip(yield* loadKzg, {
            ...read,
            accusation: { ...read.accusation, rule: rule === "inclusion_proof" ? "wrong_subnet" : "inclusion_proof" }
          })
          assert.isFalse(honest.holds)
          const moved = yield* examineGossip(yield* loadKzg, {
            ...read,
            message: { ...read.message, topic: columnTopic(topicOf(block.slot, 99)) }
          })
          assert.isFalse(moved.holds, "the id is of topic and message")
        })
      )
  )

  it.scoped("whose cells are not its block's is shown by them, and an honest one accuses nobody", () =>
    withRecorder((record, pieces) =>
      Effect.gen(function* () {
        const pool = yield* makeBlobPool(seed, 2)
        const rules = { parameters, pool, seed, blobs: 2 }
        const block = blockAtOrBefore(grow(rules, genesisState(rules), 140), 139)
        const honest = sidecarOf(pool, block, 7)
        const wrong = encodeSidecar(block.fork, { ...honest, column: sidecarOf(pool, block, 8).column })
        const on = topicOf(block.slot, 7)
        for (const data of [wrong, encodeSidecar(block.fork, honest)]) {
          yield* record(rejected("kzg_proof", data, undefined, on, `16Uiu2${pieces.size}`))
          yield* TestClock.adjust("1 second")
        }
        const kzg = yield* loadKzg
        const judged = yield* Effect.forEach([...pieces.values()].filter(isOfGossip), (piece) =>
          examineGossip(kzg, piece)
        )
        assert.deepStrictEqual(
          judged.map(({ holds }) => holds),
          [true, false]
        )
      })
    )
  )

  it.scoped("is counted alone once very many have come, and never one of a peer's outcomes", () =>
    withRecorder((record) =>
      Effect.gen(function* () {
        for (let sent = 0; sent < 400; sent++)
          yield* record(rejected("kzg_proof", good, undefined, topic, `16Uiu2${sent}`))
        yield* TestClock.adjust("1 second")
        const history = yield* History
        const recorded = yield* Effect.forEach(Array.from({ length: 400 }), (_, sent) =>
          Effect.map(history.gossipFaults(`16Uiu2${sent}`), ({ faults }) => faults)
        )
        assert.strictEqual(
          recorded.reduce((sum, faults) => sum + faults, 0),
          256
        )
        const { probes } = yield* history.totals
        assert.strictEqual(probes, 0)
        assert.strictEqual((yield* history.peer("16Uiu20")).outcomes.invalid, 0)
      })
    )
  )
})
