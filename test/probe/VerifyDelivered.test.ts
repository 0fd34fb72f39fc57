import { assert, describe, it } from "@effect/vitest"
import { ssz as types } from "@lodestar/types"
import { Effect, Option, Stream } from "effect"
import { startResponse } from "../../src/domain/column/ColumnResponse.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import type { Received } from "../../src/probe/RequestColumns.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { broughtBy } from "../../src/probe/AskWanted.ts"
import { makeHoldVerified } from "../../src/probe/HoldVerified.ts"
import { type Delivery, signatureFindings } from "../../src/probe/VerifyDelivered.ts"
import type { SidecarToVerify } from "../../src/kzg/Verifier.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { changed, vector } from "../kzg/Columns.ts"

const good = vector("fulu", 63)
const { signature } = types.fulu.DataColumnSidecar.deserialize(good.ssz).signedBlockHeader

const block: Block = {
  slot: good.slot,
  root: toHex(good.blockRoot),
  parentRoot: toHex(new Uint8Array(32)),
  fork: "fulu",
  commitments: good.commitments,
  signature: Option.some(signature),
  payload: "full"
}

const request = { startSlot: good.slot, count: 1, columns: [0, 63] }
const received: Received = {
  message: columnsByRange(request),
  protocol: "columns",
  sentAt: 1,
  response: startResponse({ _tag: "ByRange", ...request }),
  delivered: [],
  findings: [],
  error: Option.none(),
  cut: Option.none(),
  openMs: Option.none(),
  firstByteMs: Option.none(),
  bytes: 0
}

const delivery = (
  { fork, ssz }: SidecarToVerify,
  over: { of?: Partial<Block>; blockRoot?: string } = {}
): Delivery => ({
  block: { ...block, ...over.of },
  sidecar: { slot: block.slot, column: 63, fork, blockRoot: over.blockRoot ?? block.root, context: "0x01020304", ssz },
  received
})

const signedOtherwise = changed(good, ({ signedBlockHeader }) => signedBlockHeader.signature.fill(7, 90))

describe("a signature that is not the block's", () => {
  it("is one finding, however many sidecars have it", () => {
    const [finding, ...more] = signatureFindings([delivery(good), delivery(signedOtherwise), delivery(signedOtherwise)])
    assert.deepStrictEqual(more, [])
    assert.strictEqual(finding?.kind, "signature_differs")
    assert.match(
      finding?.detail ?? "",
      /^the header of column 63 of slot 13410309 is signed 0x.*0707…?, its block .* \(they differ from byte 9\d on\) \(and 1 more\)$/
    )
  })

  it("is none where it is the block's, not known, of another block's header, or of a fork without one", () => {
    const harmless = [
      delivery(good),
      delivery(signedOtherwise, { of: { signature: Option.none() } }),
      delivery(signedOtherwise, { blockRoot: toHex(new Uint8Array(32)) }),
      delivery(vector("gloas", 63))
    ]
    assert.deepStrictEqual(signatureFindings(harmless), [])
  })
})

describe("a verified sidecar that is signed otherwise than its block", () => {
  const finished = (one: Delivery, column: number) => ({
    block: one.block,
    column,
    error: Option.none(),
    delivery: one
  })
  const verified = [
    finished(delivery(signedOtherwise), 1),
    finished(delivery(good), 2),
    finished(delivery(signedOtherwise, { of: { signature: Option.none() } }), 3),
    finished(delivery(vector("gloas", 63)), 4)
  ]

  it("is not given to whoever wants it, only those that are signed right are, with their block", () => {
    const { absent, proven } = broughtBy(verified, [])
    assert.deepStrictEqual(
      proven.map(({ blockRoot, column }) => [blockRoot, column]),
      [2, 3, 4].map((column) => [block.root, column])
    )
    assert.isEmpty(absent)
  })

  it.effect("is not held", () =>
    Effect.gen(function* () {
      const held: Array<number> = []
      const matrix = LiveMatrix.of({
        hold: ({ column }) => Effect.sync(() => held.push(column) > 0),
        at: () => Effect.succeed([]),
        columns: () => Effect.succeed(new Map()),
        reached: () => Effect.never,
        changes: Stream.empty
      })
      const hold = yield* Effect.provideService(makeHoldVerified, LiveMatrix, matrix)
      yield* hold("them", verified)
      assert.deepStrictEqual(held, [2, 3, 4])
    })
  )
})
