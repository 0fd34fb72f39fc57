import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Stream, TestClock } from "effect"
import { type ChainParameters, epochStart, type ForkName } from "../../src/domain/network/Chain.ts"
import { digestTable, forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { answerSizes } from "../../src/probe/AnswerSizes.ts"
import { makeHeldSidecars } from "../../src/probe/HeldSidecars.ts"
import type { SlotColumns } from "../../src/domain/column/ColumnResponse.ts"
import { PeerDisconnected, PeerRefused, ProbeTimeout, type RequestError } from "../../src/domain/probe/Outcome.ts"
import { requestColumns } from "../../src/probe/RequestColumns.ts"
import { Host } from "../../src/host/Host.ts"
import type { ResponseChunk } from "../../src/wire/Message.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { chain as gloasOnly } from "./FakeWorld.ts"

/** Electra, then Fulu with two blob limits, then Gloas: four digests. */
const chain: ChainParameters = {
  ...gloasOnly,
  forks: [
    { name: "electra", version: Uint8Array.of(5, 0, 0, 1), epoch: 0 },
    { name: "fulu", version: Uint8Array.of(6, 0, 0, 1), epoch: 1 },
    { name: "gloas", version: Uint8Array.of(7, 0, 0, 1), epoch: 4 }
  ],
  blobSchedule: [{ epoch: 2, maxBlobsPerBlock: 15 }]
}
const slots = { electra: 0, fulu: epochStart(chain, 1), moreBlobs: epochStart(chain, 2), gloas: epochStart(chain, 4) }
const digestOf = (name: keyof typeof slots) => forkDigestOfSlot(chain, slots[name])

/** A sidecar without cells, laid out as those of the fork. */
const sidecar = (fork: ForkName, slot: number, column: number): Uint8Array => {
  const [size, slotAt] = fork === "fulu" ? [356, 20] : [56, 16]
  const ssz = new Uint8Array(size)
  const view = new DataView(ssz.buffer)
  view.setBigUint64(0, BigInt(column), true)
  view.setUint32(8, size, true)
  view.setBigUint64(slotAt, BigInt(slot), true)
  return ssz
}

const chunk = (context: string, ssz: Uint8Array): ResponseChunk => ({ context, ssz, wireBytes: ssz.length })

const answered = (
  chunks: ReadonlyArray<ResponseChunk>,
  ending: Stream.Stream<never, RequestError> = Stream.empty,
  due: ReadonlyArray<SlotColumns> = []
) => {
  const request = { startSlot: 0, count: 200, columns: [3, 4, 5, 6] }
  return Effect.flatMap(Host, (host) =>
    requestColumns(
      {
        host,
        network: { chain, digests: digestTable(chain) },
        peerId: "peer",
        sizes: answerSizes(chain, { start: 0, end: -1 }, [], []),
        held: makeHeldSidecars(1_000_000, 1_000_000)
      },
      columnsByRange(request),
      { _tag: "ByRange", ...request },
      due
    )
  ).pipe(
    Effect.provide(
      Layer.mock(Host, {
        peerId: "us",
        multiaddrs: [],
        request: () =>
          Effect.succeed({ protocol: "columns", chunks: Stream.concat(Stream.fromIterable(chunks), ending) })
      })
    )
  )
}

describe("context bytes", () => {
  it.effect("of another digest of the network are a finding, and the sidecar is taken by its own slot", () =>
    Effect.gen(function* () {
      const { delivered, error, findings } = yield* answered([
        chunk(digestOf("gloas"), sidecar("fulu", slots.fulu, 3)),
        chunk(digestOf("electra"), sidecar("fulu", slots.fulu, 4)),
        chunk(digestOf("fulu"), sidecar("fulu", slots.moreBlobs, 5)),
        chunk(digestOf("moreBlobs"), sidecar("gloas", slots.gloas, 6))
      ])
      assert.isTrue(Option.isNone(error))
      assert.deepStrictEqual(
        delivered.map(({ column, context, fork, slot }) => [slot, column, fork, context]),
        [
          [slots.fulu, 3, "fulu", digestOf("gloas")],
          [slots.fulu, 4, "fulu", digestOf("electra")],
          [slots.moreBlobs, 5, "fulu", digestOf("fulu")],
          [slots.gloas, 6, "gloas", digestOf("moreBlobs")]
        ]
      )
      assert.deepStrictEqual(findings, [
        {
          kind: "wrong_context",
          detail: `context bytes ${digestOf("gloas")} with a sidecar of slot ${slots.fulu}, whose are ${digestOf("fulu")} (and 3 more)`
        }
      ])
    })
  )

  it.effect("of the slot are no finding", () =>
    Effect.gen(function* () {
      const { delivered, findings } = yield* answered([
        chunk(digestOf("fulu"), sidecar("fulu", slots.fulu, 3)),
        chunk(digestOf("gloas"), sidecar("gloas", slots.gloas, 3))
      ])
      assert.strictEqual(delivered.length, 2)
      assert.deepStrictEqual(findings, [])
    })
  )

  it.effect("change with the slot: one before a step and the one of it have each their own, and not the other's", () =>
    Effect.gen(function* () {
      const sides = [
        [slots.moreBlobs - 1, "fulu", "fulu", "moreBlobs"],
        [slots.moreBlobs, "fulu", "moreBlobs", "fulu"],
        [slots.gloas - 1, "fulu", "moreBlobs", "gloas"],
        [slots.gloas, "gloas", "gloas", "moreBlobs"]
      ] as const
      for (const [slot, fork, own, other] of sides) {
        const findings = (digest: keyof typeof slots) =>
          Effect.map(answered([chunk(digestOf(digest), sidecar(fork, slot, 3))]), ({ delivered, findings }) => {
            assert.deepStrictEqual([delivered[0]?.slot, delivered[0]?.fork], [slot, fork])
            return findings.map(({ kind }) => kind)
          })
        assert.deepStrictEqual(yield* findings(own), [])
        assert.deepStrictEqual(yield* findings(other), ["wrong_context"])
      }
    })
  )

  const good = sidecar("fulu", slots.fulu, 3)
  const unreadable: ReadonlyArray<readonly [string, ResponseChunk, RegExp]> = [
    ["of no digest of the network", chunk("0x01020304", good), /0x01020304 are no fork digest of this network/],
    [
      "of another digest before bytes that are no sidecar",
      chunk(digestOf("gloas"), new Uint8Array(56)),
      /not a data column sidecar/
    ],
    [
      "before a sidecar of the form of another fork than its slot's",
      chunk(digestOf("gloas"), sidecar("gloas", slots.fulu, 3)),
      /not a data column sidecar/
    ],
    [
      "before a sidecar of a slot that has no columns",
      chunk(digestOf("fulu"), sidecar("fulu", slots.electra, 3)),
      /no data columns in electra/
    ]
  ]
  it.effect.each([...unreadable])("%s: malformed", ([, spoilt, why]) =>
    Effect.gen(function* () {
      const before = chunk(digestOf("fulu"), sidecar("fulu", slots.fulu, 6))
      const { delivered, error } = yield* answered([before, spoilt])
      assert.strictEqual(delivered.length, 1)
      const { _tag, detail } = Option.getOrThrow(Option.filter(error, (error) => error._tag === "MalformedResponse"))
      assert.strictEqual(_tag, "MalformedResponse")
      assert.match(detail, why)
    })
  )
})

describe("an answer that is not ended after everything that was due", () => {
  const due = [{ slot: slots.fulu, columns: [3, 4] }]
  const both = [3, 4].map((column) => chunk(digestOf("fulu"), sidecar("fulu", slots.fulu, column)))
  const extra = chunk(digestOf("fulu"), sidecar("fulu", slots.fulu, 5))
  const kindsOf = (findings: ReadonlyArray<{ readonly kind: string }>) => findings.map(({ kind }) => kind)

  it.effect("is complete a second later, and a finding", () =>
    Effect.gen(function* () {
      const asking = yield* Effect.fork(answered(both, Stream.never, due))
      yield* TestClock.adjust("999 millis")
      assert.isNull(asking.unsafePoll())
      yield* TestClock.adjust("1 millis")
      const { cut, delivered, error, findings } = yield* Fiber.join(asking)
      assert.deepStrictEqual([delivered.length, error, cut], [2, Option.none(), Option.none()])
      assert.deepStrictEqual(kindsOf(findings), ["stream_left_open"])
    })
  )

  it.effect("is complete too if it is reset, lost or silent then, as a host that waits longer tells it", () =>
    Effect.gen(function* () {
      const endings: ReadonlyArray<readonly [RequestError, ReadonlyArray<string>]> = [
        [new ProbeTimeout({ stage: "body", afterMs: 10_000 }), ["stream_left_open"]],
        [new PeerDisconnected({ stage: "body", detail: "reset" }), []]
      ]
      for (const [error, kinds] of endings) {
        const received = yield* answered(both, Stream.fail(error), due)
        assert.isTrue(Option.isNone(received.error))
        assert.deepStrictEqual(kindsOf(received.findings), kinds)
      }
      const limited = new PeerRefused({ reason: "rate_limited", detail: "code 139", resultCode: 139 })
      assert.deepStrictEqual((yield* answered(both, Stream.fail(limited), due)).error, Option.some(limited))
    })
  )

  it.effect("is no finding where more comes in time, and is waited for where something is due", () =>
    Effect.gen(function* () {
      const later = Stream.drain(Stream.fromEffect(Effect.sleep("900 millis")))
      const more = yield* Effect.fork(answered([...both], Stream.concat(later, Stream.empty), due))
      yield* TestClock.adjust("900 millis")
      assert.isEmpty((yield* Fiber.join(more)).findings)
      const unasked = yield* Effect.fork(answered([...both, extra], Stream.never, due))
      yield* TestClock.adjust("1 second")
      assert.isEmpty((yield* Fiber.join(unasked)).findings)
      const waiting = yield* Effect.fork(answered(both.slice(1), Stream.never, due))
      yield* TestClock.adjust("1 minute")
      assert.isNull(waiting.unsafePoll())
      yield* Fiber.interrupt(waiting)
    })
  )
})
