import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { computeForkDigest } from "../../src/domain/network/ForkDigest.ts"
import { decodeEvidence, encodeEvidence, type Evidence } from "../../src/evidence/Evidence.ts"
import { examine } from "../../src/evidence/Examine.ts"
import { loadKzg } from "../../src/kzg/Kzg.ts"
import { verifySidecars } from "../../src/kzg/VerifySidecars.ts"
import { accused, honest, offences } from "./Pieces.ts"

// The trusted setup takes seconds of a busy core.
beforeAll(() => Effect.runPromise(Effect.asVoid(loadKzg)))

const examined = (evidence: Evidence) => Effect.flatMap(loadKzg, (kzg) => examine(kzg, evidence))

const refusals = (evidence: Evidence) =>
  Effect.map(examined(evidence), ({ holds, steps }) => {
    assert.isFalse(holds)
    return steps.filter(({ holds }) => !holds).map(({ text }) => text)
  })

describe("examine", () => {
  it.effect.each([...offences])("%s: the accusation of %s holds, by the text alone", ([, check, sidecar]) =>
    Effect.gen(function* () {
      const [verdict] = yield* verifySidecars(yield* loadKzg, [sidecar])
      assert.deepInclude(verdict, { check })
      const read = Either.getOrThrow(decodeEvidence(encodeEvidence(accused(sidecar, check))))
      assert.deepStrictEqual(read, accused(sidecar, check))
      const { believed, holds, steps } = yield* examined(read)
      assert.isTrue(holds, JSON.stringify(steps))
      assert.include(steps.at(-1)?.text ?? "", check)
      const look = `slot ${read.block.slot} of test has the root ${read.block.root}`
      assert.isTrue(believed.some((text) => text.includes(look)))
    })
  )

  it.effect("shows that the commitments are the block's where the root alone proves it", () =>
    Effect.gen(function* () {
      for (const [name, , sidecar] of offences) {
        const { steps } = yield* examined(accused(sidecar, "kzg_proof"))
        const proven = steps.some(({ text }) => text.includes("6 commitments are the block's"))
        assert.strictEqual(proven, ["a cell too few", "a wrong cell", "a proof that is no point"].includes(name), name)
      }
    })
  )

  const offence = offences.find(([name]) => name === "a wrong cell")?.[2] ?? honest
  const guilty = accused(offence, "kzg_proof")
  const tampered: ReadonlyArray<readonly [string, Evidence, RegExp]> = [
    ["an honest sidecar", { ...guilty, chunk: { ...guilty.chunk, ssz: honest.ssz } }, /passes every check/],
    [
      "another block root",
      { ...guilty, block: { ...guilty.block, root: `0x${"1".repeat(64)}` } },
      /fails the check header, not kzg_proof/
    ],
    [
      "another slot",
      { ...guilty, block: { ...guilty.block, slot: guilty.block.slot + 1 } },
      /says that it is column 63/
    ],
    ["a column", { ...guilty, accusation: { ...guilty.accusation, column: 0 } }, /says that it is column 63/],
    [
      "commitments that are not the block's",
      {
        ...accused(honest, "commitments"),
        block: { ...guilty.block, commitments: [...guilty.block.commitments].reverse() }
      },
      /other commitments than the evidence says/
    ],
    [
      "a check",
      { ...guilty, accusation: { ...guilty.accusation, check: "commitments" } },
      /kzg_proof, not commitments/
    ],
    ["the network", { ...guilty, network: { ...guilty.network, blobLimitEpoch: 13 } }, /context bytes/],
    [
      "context bytes",
      { ...guilty, chunk: { ...guilty.chunk, context: "0x01020304" } },
      /context bytes 0x01020304: not 0 and/
    ],
    [
      "what other context bytes are of",
      {
        ...guilty,
        chunk: {
          ...guilty.chunk,
          context: "0x01020304",
          contextOf: { forkVersion: guilty.network.forkVersion, blobLimit: { epoch: 13, maxBlobsPerBlock: 21 } }
        }
      },
      /context bytes 0x01020304/
    ],
    ["a result code", { ...guilty, chunk: { ...guilty.chunk, resultCode: 1 } }, /result code 1/],
    [
      "a request for other slots",
      {
        ...guilty,
        request: { ...guilty.request, asked: { by: "range", startSlot: 0, count: 5, columns: [63] } }
      },
      /did not ask for/
    ],
    [
      "a request for another block",
      {
        ...guilty,
        request: {
          ...guilty.request,
          asked: { by: "root", blocks: [{ blockRoot: `0x${"1".repeat(64)}`, columns: [63] }] }
        }
      },
      /did not ask for/
    ],
    ["bytes without a label", { ...guilty, chunk: { ...guilty.chunk, ssz: new Uint8Array(3) } }, /not a data column/],
    [
      "commitments that are no points",
      {
        ...accused(
          offences.find(([name]) => name.endsWith("Gloas sidecar with a wrong cell"))?.[2] ?? honest,
          "kzg_proof"
        ),
        block: {
          ...guilty.block,
          fork: "gloas",
          commitments: guilty.block.commitments.map(() => new Uint8Array(48).fill(1))
        }
      },
      /cannot be judged/
    ]
  ]

  it.effect.each([...tampered])("%s in place of what was there: it does not hold", ([, evidence, why]) =>
    Effect.gen(function* () {
      assert.match((yield* refusals(evidence)).join("\n"), why)
    })
  )

  const elsewhere = { forkVersion: Uint8Array.of(5, 0, 0, 1), blobLimit: null }
  const wrongContext: Evidence = {
    ...guilty,
    chunk: {
      ...guilty.chunk,
      context: toHex(computeForkDigest(guilty.network.genesisValidatorsRoot, elsewhere.forkVersion, undefined)),
      contextOf: elsewhere
    }
  }

  it.effect("lets the context bytes be another digest of the network, and says what then remains to be believed", () =>
    Effect.gen(function* () {
      const read = Either.getOrThrow(decodeEvidence(encodeEvidence(wrongContext)))
      assert.deepStrictEqual(read, wrongContext)
      const { believed, holds, steps } = yield* examined(read)
      assert.isTrue(holds, JSON.stringify(steps))
      assert.match(steps[1]?.text ?? "", /another fork digest of test/)
      assert.isTrue(believed.some((text) => /at most 21 blobs/.test(text)))
      assert.isFalse((yield* examined(guilty)).believed.some((text) => /at most 21 blobs/.test(text)))
    })
  )

  it.effect("asks by root too", () =>
    Effect.gen(function* () {
      const asked = { by: "root" as const, blocks: [{ blockRoot: guilty.block.root, columns: [1, 63] }] }
      assert.isTrue((yield* examined({ ...guilty, request: { ...guilty.request, asked } })).holds)
    })
  )
})

describe("decodeEvidence", () => {
  const text = encodeEvidence(accused(honest, "kzg_proof"))
  const cases: ReadonlyArray<readonly [string, string, RegExp]> = [
    ["cut short", text.slice(0, 2000), /not whole JSON/],
    ["empty", "", /not whole JSON/],
    ["of a later version", text.replace('"version":1', '"version":2'), /format version 2, .* reads version 1/],
    ["of something else", '{"format":"other","version":1}', /not evidence of dasmon/],
    ["a number", "7", /not evidence of dasmon/],
    ["with a payload that is no base64", text.replace('"ssz":"', '"ssz":"*'), /chunk\.ssz: .*base64/],
    ["with a short root", text.replace(/"root":"0x../, '"root":"0x'), /block\.root/],
    ["without its check", text.replace('"check":"kzg_proof",', ""), /accusation\.check/]
  ]
  it.each([...cases])("refuses a text %s, and says why", (_, broken, why) => {
    const error = Either.getOrThrow(Either.flip(decodeEvidence(broken)))
    assert.match(error.message, why)
    assert.isAtMost(error.message.length, 300)
  })
})
