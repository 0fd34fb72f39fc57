import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc, Schema } from "effect"
import { fromHex, toHex } from "../../src/domain/Bytes.ts"
import {
  decodeMetadata,
  decodeStatus,
  decodeUint64,
  encodeMetadata,
  encodeStatus,
  goodbyeRequest,
  metadataRequest,
  pingRequest,
  statusRequest
} from "../../src/wire/Handshake.ts"
import type { RequestMessage } from "../../src/wire/Message.ts"
import { metadataV1, metadataV2, metadataV3, statusV1, statusV2 } from "../../src/wire/Protocol.ts"
import {
  blocksByRange,
  blocksByRoot,
  columnsByRange,
  columnsByRoot,
  decodeBlocksByRange,
  decodeBlocksByRoot,
  decodeColumnsByRange,
  decodeColumnsByRoot
} from "../../src/wire/Requests.ts"
import { itWithVectors, vectorsFolder } from "../Vectors.ts"
import type { WireError } from "../../src/wire/WireError.ts"

const bodies = (message: RequestMessage): ReadonlyArray<Uint8Array> => message.protocols.map(({ body }) => body)
const body = (message: RequestMessage): Uint8Array => bodies(message)[0] ?? assert.fail("no body")
const names = (message: RequestMessage): ReadonlyArray<string> =>
  message.protocols.map(({ protocol }) => protocol.id.split("/").slice(4, 6).join("/"))

const root = (byte: number): string => toHex(new Uint8Array(32).fill(byte))
const status = {
  forkDigest: "0x8c9f62fe",
  finalizedRoot: root(0),
  finalizedEpoch: 0,
  headRoot: root(0xab),
  headSlot: 13_000_000,
  earliestAvailableSlot: 12_900_000
}

describe("status", () => {
  it("offers version 2 first, each with the body that it wants", () => {
    const message = statusRequest(status)
    assert.deepStrictEqual(names(message), ["status/2", "status/1"])
    const [v2, v1] = bodies(message)
    assert.strictEqual(
      toHex(v2 ?? new Uint8Array(0)),
      `0x8c9f62fe${"00".repeat(32)}${"00".repeat(8)}${"ab".repeat(32)}405dc60000000000a0d6c40000000000`
    )
    assert.deepStrictEqual(v1, v2?.subarray(0, 84))
  })

  it("is read in both versions", () => {
    assert.deepStrictEqual(decodeStatus(encodeStatus(statusV2, status)), Either.right(status))
    assert.deepStrictEqual(
      decodeStatus(encodeStatus(statusV1, status)),
      Either.right({ ...status, earliestAvailableSlot: undefined })
    )
  })

  it("reads numbers that no slot can be as the largest exact one, and writes FAR_FUTURE", () => {
    const hostile = encodeStatus(statusV2, status)
    hostile.fill(0xff, 36, 44).fill(0xff, 76, 92)
    const read = Either.getOrThrow(decodeStatus(hostile))
    assert.deepStrictEqual(
      [read.finalizedEpoch, read.headSlot, read.earliestAvailableSlot],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
    )
    const written = encodeStatus(statusV2, { ...status, earliestAvailableSlot: Infinity })
    assert.strictEqual(toHex(written.subarray(84)), "0xffffffffffffffff")
    const exact = encodeStatus(statusV2, { ...status, headSlot: Number.MAX_SAFE_INTEGER })
    assert.strictEqual(Either.getOrThrow(decodeStatus(exact)).headSlot, Number.MAX_SAFE_INTEGER)
  })
})

describe("metadata, ping and goodbye", () => {
  it("asks for metadata without a body, version 3 first", () => {
    assert.deepStrictEqual(names(metadataRequest), ["metadata/3", "metadata/2"])
    assert.deepStrictEqual(
      bodies(metadataRequest).map(({ length }) => length),
      [0, 0]
    )
  })

  it("reads every version", () => {
    const metadata = { sequenceNumber: 9, custodyGroupCount: 128 }
    const v3 = encodeMetadata(metadataV3, metadata)
    assert.strictEqual(toHex(v3), `0x0900000000000000${"00".repeat(8)}008000000000000000`)
    const subnets = { attnets: [], syncnets: [] }
    assert.deepStrictEqual(decodeMetadata(v3), Either.right({ ...metadata, subnets }))
    for (const [protocol, size] of [
      [metadataV1, 16],
      [metadataV2, 17]
    ] as const) {
      const older = encodeMetadata(protocol, metadata)
      assert.strictEqual(older.length, size)
      assert.deepStrictEqual(
        decodeMetadata(older),
        Either.right({ ...metadata, subnets, custodyGroupCount: undefined })
      )
    }
    const huge = v3.slice().fill(0xff, 0, 8).fill(0xff, 17)
    assert.deepStrictEqual(
      decodeMetadata(huge),
      Either.right({ sequenceNumber: Number.MAX_SAFE_INTEGER, custodyGroupCount: Number.MAX_SAFE_INTEGER, subnets })
    )
    // Only four of the bits of syncnets exist.
    assert.strictEqual(decodeMetadata(v3.slice().fill(0xf0, 16, 17))._tag, "Left")
  })

  it("carries one number", () => {
    assert.strictEqual(toHex(body(pingRequest(23))), "0x1700000000000000")
    assert.deepStrictEqual(decodeUint64(body(goodbyeRequest(129))), Either.right(129))
    assert.deepStrictEqual(decodeUint64(new Uint8Array(8).fill(0xff)), Either.right(Number.MAX_SAFE_INTEGER))
  })
})

describe("requests for blocks and columns", () => {
  it("writes columns by range as the specification has it", () => {
    const message = columnsByRange({ startSlot: 7, count: 2, columns: [1, 17] })
    assert.deepStrictEqual(names(message), ["data_column_sidecars_by_range/1"])
    assert.strictEqual(
      toHex(body(message)),
      "0x070000000000000002000000000000001400000001000000000000001100000000000000"
    )
  })

  it("writes columns by root as a list of identifiers", () => {
    const message = columnsByRoot([
      { blockRoot: root(1), columns: [3] },
      { blockRoot: root(2), columns: [] }
    ])
    assert.strictEqual(
      toHex(body(message)),
      `0x0800000034000000${"01".repeat(32)}240000000300000000000000${"02".repeat(32)}24000000`
    )
  })

  it("is read as it was written", () => {
    const columns = fc.uniqueArray(fc.nat(127), { maxLength: 128 })
    const slot = fc.maxSafeNat()
    fc.assert(
      fc.property(
        slot,
        fc.nat(128),
        columns,
        fc.array(fc.nat(255), { maxLength: 128 }),
        (startSlot, count, columns, blocks) => {
          const range = { startSlot, count, columns }
          assert.deepStrictEqual(decodeColumnsByRange(body(columnsByRange(range))), Either.right(range))
          const identifiers = blocks.map((byte) => ({ blockRoot: root(byte), columns }))
          assert.deepStrictEqual(decodeColumnsByRoot(body(columnsByRoot(identifiers))), Either.right(identifiers))
          assert.deepStrictEqual(
            decodeBlocksByRange(body(blocksByRange({ startSlot, count }))),
            Either.right({ startSlot, count })
          )
          const roots = blocks.map(root)
          assert.deepStrictEqual(decodeBlocksByRoot(body(blocksByRoot(roots))), Either.right(roots))
        }
      ),
      { seed: 11, numRuns: 40 }
    )
    assert.strictEqual(toHex(body(blocksByRange({ startSlot: 1, count: 2 }))).slice(-16), "0100000000000000")
  })

  it("gives an error for any bytes that are none, and never throws", () => {
    const decoders = [
      decodeStatus,
      decodeMetadata,
      decodeUint64,
      decodeColumnsByRange,
      decodeColumnsByRoot,
      decodeBlocksByRange,
      decodeBlocksByRoot
    ]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(40), (noise, offset) => {
        for (const decode of decoders) {
          const decoded: Either.Either<unknown, WireError> = decode(noise)
          if (Either.isLeft(decoded)) assert.strictEqual(decoded.left.reason, "bad_ssz")
        }
        // A list whose first offset is right and whose others are noise.
        decodeColumnsByRoot(Uint8Array.from([offset, 0, 0, 0, ...noise]))
      }),
      { seed: 12, numRuns: 300 }
    )
    const of = (hex: string): Uint8Array => fromHex(hex)
    assert.strictEqual(decodeColumnsByRoot(of("0x00000000"))._tag, "Left")
    assert.strictEqual(decodeColumnsByRoot(of("0xffffffff"))._tag, "Left")
    assert.strictEqual(decodeColumnsByRange(new Uint8Array(20 + 8 * 129).fill(20, 16, 17))._tag, "Left")
    assert.strictEqual(decodeColumnsByRange(new Uint8Array(20))._tag, "Left")
    assert.strictEqual(decodeBlocksByRoot(new Uint8Array(33))._tag, "Left")
    assert.strictEqual(decodeBlocksByRoot(new Uint8Array(32 * 129))._tag, "Left")
  })
})

describe("another client's messages", () => {
  const file = "reqresp/lodestar_messages.json"
  const Messages = Schema.parseJson(
    Schema.Struct({ cases: Schema.Array(Schema.Struct({ name: Schema.String, ssz: Schema.String })) })
  )

  itWithVectors("are understood", [file], () => {
    const { cases } = Schema.decodeUnknownSync(Messages)(readFileSync(join(vectorsFolder, file), "utf8"))
    const ssz = (name: string): Uint8Array =>
      fromHex(cases.find((entry) => entry.name === name)?.ssz ?? assert.fail(`no ${name}`))
    assert.deepStrictEqual(decodeUint64(ssz("ping_seq_1")), Either.right(1))
    const older = { custodyGroupCount: undefined, subnets: { attnets: [], syncnets: [] } }
    assert.deepStrictEqual(decodeMetadata(ssz("metadata_v1")), Either.right({ ...older, sequenceNumber: 9 }))
    assert.deepStrictEqual(decodeMetadata(ssz("metadata_v2")), Either.right({ ...older, sequenceNumber: 8 }))
    assert.deepStrictEqual(
      decodeStatus(ssz("status_v1")),
      Either.right({
        forkDigest: "0xdadadada",
        finalizedRoot: root(0xda),
        finalizedEpoch: 9,
        headRoot: root(0xda),
        headSlot: 9,
        earliestAvailableSlot: undefined
      })
    )
  })
})
