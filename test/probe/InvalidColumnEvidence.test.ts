import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { Block } from "../../src/domain/network/Block.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import { type ChainParameters, epochOf } from "../../src/domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { InvalidColumn } from "../../src/domain/probe/Outcome.ts"
import { startResponse } from "../../src/domain/column/ColumnResponse.ts"
import { examine } from "../../src/evidence/Examine.ts"
import { loadKzg } from "../../src/kzg/Kzg.ts"
import { invalidColumnEvidence } from "../../src/probe/InvalidColumnEvidence.ts"
import type { Received } from "../../src/probe/RequestColumns.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { changed, vector } from "../kzg/Columns.ts"
import { chain as gloasOnly } from "./FakeWorld.ts"

const guilty = changed(vector("fulu", 63), (value) => value.column[2]?.fill(0))
const { slot } = guilty

/** Electra, then Fulu, with a higher blob limit after the slot. */
const chain: ChainParameters = {
  ...gloasOnly,
  forks: gloasOnly.forks
    .filter(({ name }) => name !== "gloas")
    .map((fork) => (fork.name === "fulu" ? { ...fork, epoch: 1 } : fork)),
  blobSchedule: [
    { epoch: 1, maxBlobsPerBlock: 21 },
    { epoch: epochOf(gloasOnly, slot) + 1, maxBlobsPerBlock: 30 }
  ]
}

const block: Block = {
  slot,
  root: toHex(guilty.blockRoot),
  parentRoot: toHex(new Uint8Array(32)),
  fork: "fulu",
  commitments: guilty.commitments,
  signature: Option.none(),
  payload: "full"
}

const evidenceOf = (context: string) => {
  const request = { startSlot: slot, count: 1, columns: [63] }
  const sidecar = { slot, column: 63, fork: "fulu" as const, blockRoot: block.root, context, ssz: guilty.ssz }
  const received: Received = {
    message: columnsByRange(request),
    protocol: "columns",
    sentAt: 1,
    response: startResponse({ _tag: "ByRange", ...request }),
    delivered: [sidecar],
    findings: [],
    error: Option.none(),
    cut: Option.none(),
    openMs: Option.none(),
    firstByteMs: Option.none(),
    bytes: 0
  }
  const error = new InvalidColumn({ slot, column: 63, check: "kzg_proof", detail: "wrong" })
  return invalidColumnEvidence({ chain, peer: { peerId: "p", agent: null, address: null }, judgedAt: 2 }, [
    { block, column: 63, error: Option.some(error), delivery: { block, sidecar, received } }
  ])
}

describe("evidence of an invalid column", () => {
  it.effect.each([
    ["its own slot", slot],
    ["a later blob limit", slot + 32],
    ["the fork before", 0]
  ] as const)("holds with the context bytes of %s", ([, contextSlot]) =>
    Effect.gen(function* () {
      const context = forkDigestOfSlot(chain, contextSlot)
      const [evidence] = evidenceOf(context)
      if (evidence === undefined) return assert.fail()
      assert.strictEqual(evidence.chunk.context, context)
      assert.strictEqual(evidence.chunk.contextOf === null, contextSlot === slot)
      const { holds, steps } = yield* examine(yield* loadKzg, evidence)
      assert.isTrue(holds, JSON.stringify(steps))
    })
  )
})
