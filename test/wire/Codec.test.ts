import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc, Option, Schema } from "effect"
import { concatBytes, equalBytes, fromHex, toHex } from "../../src/domain/Bytes.ts"
import {
  decodeRequest,
  encodeErrorChunk,
  encodeRequest,
  encodeSuccessChunk,
  makeRequestDecoder,
  makeResponseDecoder,
  type ResponseItem
} from "../../src/wire/Codec.ts"
import type { ResponseChunk } from "../../src/wire/Message.ts"
import {
  beaconBlocksByRange,
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  maxPayloadSize,
  metadataV1,
  metadataV2,
  metadataV3,
  ping,
  type Protocol,
  statusV1,
  statusV2
} from "../../src/wire/Protocol.ts"
import { encodeFrames, makeFrameDecoder } from "../../src/wire/SnappyFrames.ts"
import { encodeVarint } from "../../src/wire/Varint.ts"
import type { WireErrorReason } from "../../src/wire/WireError.ts"
import { itWithVectors, vectorsFolder } from "../Vectors.ts"
import { corrupted, randomBytes, splits } from "./Arbitraries.ts"

const seed = { seed: 20_251_203 }

interface Decoded {
  readonly items: ReadonlyArray<ResponseItem>
  readonly reason: WireErrorReason | undefined
}

/** All of a response in the given pieces, to its end. */
const decodeResponse = (protocol: Protocol, pieces: ReadonlyArray<Uint8Array>): Decoded => {
  const decoder = makeResponseDecoder(protocol)
  const items: Array<ResponseItem> = []
  for (const piece of pieces) {
    const result = decoder.push(piece)
    items.push(...result.items)
    if (result.error !== undefined) return { items, reason: result.error.reason }
  }
  items.push(...Option.toArray(decoder.refusal()))
  const end = decoder.finish()
  return { items, reason: Either.isLeft(end) ? end.left.reason : undefined }
}

const chunkAt = (items: ReadonlyArray<ResponseItem>, index: number): ResponseChunk => {
  const item = items[index]
  return item?._tag === "Success" ? item.chunk : assert.fail(`no success chunk at ${index}`)
}

const requestReason = (protocol: Protocol, wire: Uint8Array): WireErrorReason | undefined => {
  const decoded = decodeRequest(protocol, wire)
  return Either.isLeft(decoded) ? decoded.left.reason : undefined
}

/** One response chunk around frames made by hand, announcing `length` bytes. */
const chunkOf = (length: number, ...frames: ReadonlyArray<Uint8Array>): Uint8Array =>
  concatBytes([Uint8Array.of(0), encodeVarint(length), ...frames])

const identifier = fromHex("0xff060000734e61507059")
const frame = (type: number, content: Uint8Array): Uint8Array =>
  concatBytes([Uint8Array.of(type, content.length & 0xff, (content.length >> 8) & 0xff, content.length >> 16), content])
/** The frames of `data` without the identifier. */
const dataFrame = (data: Uint8Array): Uint8Array => encodeFrames(data).subarray(identifier.length)

const pingBody = fromHex("0x0100000000000000")

describe("vectors", () => {
  const Streams = Schema.parseJson(
    Schema.Struct({
      size: Schema.Number,
      sha256: Schema.String,
      resource_unavailable: Schema.Struct({ wire: Schema.String, code: Schema.Number, message: Schema.String }),
      invalid_request_empty_message: Schema.Struct({
        wire: Schema.String,
        code: Schema.Number,
        message: Schema.String
      }),
      empty_response: Schema.Struct({ wire: Schema.String })
    })
  )
  const vectors = new URL("../vectors/reqresp/", import.meta.url)
  const streams = Schema.decodeUnknownSync(Streams)(readFileSync(new URL("response_streams.json", vectors), "utf8"))
  const twoChunks = new Uint8Array(readFileSync(new URL("by_range_response_two_chunks.bin", vectors)))

  it("reads a by_range response of two chunks, whole and byte by byte", () => {
    assert.strictEqual(createHash("sha256").update(twoChunks).digest("hex"), streams.sha256)
    const whole = decodeResponse(dataColumnSidecarsByRange, [twoChunks])
    assert.isUndefined(whole.reason)
    const chunks = whole.items.map((item) => (item._tag === "Success" ? item.chunk : assert.fail("an error chunk")))
    assert.deepStrictEqual(
      chunks.map(({ context, ssz }) => ({ context, column: ssz[0], size: ssz.length })),
      [
        { context: "0x8c9f62fe", column: 1, size: 356 + 2 * 2144 },
        { context: "0x8c9f62fe", column: 17, size: 356 + 2 * 2144 }
      ]
    )
    assert.strictEqual(
      chunks.reduce((sum, { wireBytes }) => sum + wireBytes, 0),
      streams.size
    )
    const bytewise = decodeResponse(
      dataColumnSidecarsByRange,
      Array.from(twoChunks, (byte) => Uint8Array.of(byte))
    )
    bytewise.items.forEach((_, index) => {
      const [one, other] = [chunkAt(bytewise.items, index), chunkAt(whole.items, index)]
      assert.isTrue(equalBytes(one.ssz, other.ssz))
      assert.deepInclude(one, { context: other.context, wireBytes: other.wireBytes })
    })
  })

  it("reads error chunks and an empty response", () => {
    for (const { wire, code, message } of [streams.resource_unavailable, streams.invalid_request_empty_message]) {
      const decoded = decodeResponse(dataColumnSidecarsByRange, [fromHex(wire)])
      assert.deepStrictEqual(decoded, { items: [{ _tag: "Error", code, message }], reason: undefined })
      assert.strictEqual(toHex(encodeErrorChunk(code, message)), wire)
    }
    const empty = decodeResponse(dataColumnSidecarsByRange, [fromHex(streams.empty_response.wire)])
    assert.deepStrictEqual(empty, { items: [], reason: undefined })
  })

  describe("carried", () => {
    const Messages = Schema.parseJson(
      Schema.Struct({
        cases: Schema.Array(
          Schema.Struct({
            name: Schema.Literal("ping_seq_1", "metadata_v1", "metadata_v2", "status_v1"),
            length_prefix: Schema.String,
            frames: Schema.String,
            ssz: Schema.String
          })
        ),
        invalid: Schema.Array(
          Schema.Struct({
            name: Schema.Literal("varint_over_10_bytes", "status_length_below_min"),
            wire: Schema.String
          })
        )
      })
    )
    const messages = "reqresp/lodestar_messages.json"
    const protocols = { ping_seq_1: ping, metadata_v1: metadataV1, metadata_v2: metadataV2, status_v1: statusV1 }

    itWithVectors("reads the messages of another client, and writes what it can read back", [messages], () => {
      const { cases, invalid } = Schema.decodeUnknownSync(Messages)(readFileSync(join(vectorsFolder, messages), "utf8"))
      assert.strictEqual(cases.length, 4)
      for (const { name, length_prefix, frames, ssz } of cases) {
        const protocol = protocols[name]
        const wire = concatBytes([Uint8Array.of(0), fromHex(length_prefix), fromHex(frames)])
        const expected = {
          _tag: "Success" as const,
          chunk: { context: undefined, ssz: fromHex(ssz), wireBytes: wire.length }
        }
        assert.deepEqual(decodeResponse(protocol, [wire]).items, [expected])
        const ours = decodeResponse(protocol, [encodeSuccessChunk(protocol, fromHex(ssz))])
        assert.strictEqual(ours.items.length, 1)
      }
      const reasons = { varint_over_10_bytes: "varint_too_long", status_length_below_min: "length_out_of_bounds" }
      for (const { name, wire } of invalid) {
        assert.strictEqual(requestReason(statusV1, fromHex(wire)), reasons[name])
        assert.strictEqual(decodeResponse(statusV1, [Uint8Array.of(0), fromHex(wire)]).reason, reasons[name])
      }
    })

    const block = "reqresp/lodestar-goerliShadowForkBlock.13249"
    const [serialized, streamed] = [`${block}/serialized.ssz`, `${block}/streamed.snappy`]
    itWithVectors("reads a block of three frames", [serialized, streamed], () => {
      const ssz = new Uint8Array(readFileSync(join(vectorsFolder, serialized)))
      const frames = new Uint8Array(readFileSync(join(vectorsFolder, streamed)))
      const wire = concatBytes([Uint8Array.of(0), fromHex("0x01020304"), encodeVarint(ssz.length), frames])
      const { items, reason } = decodeResponse(beaconBlocksByRange, [wire.subarray(0, 999), wire.subarray(999)])
      assert.isUndefined(reason)
      const chunk = chunkAt(items, 0)
      assert.isTrue(equalBytes(chunk.ssz, ssz))
      assert.deepInclude(chunk, { context: "0x01020304", wireBytes: wire.length })
    })
  })
})

describe("round trip", () => {
  it("survives any payload, in any split", () => {
    const chunk = fc.tuple(randomBytes({ min: 56, max: 200_000 }), fc.uint8Array({ minLength: 4, maxLength: 4 }))
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 4 }), splits, (chunks, cut) => {
        const wire = chunks.map(([ssz, context]) => encodeSuccessChunk(dataColumnSidecarsByRange, ssz, toHex(context)))
        const { items, reason } = decodeResponse(dataColumnSidecarsByRange, cut(concatBytes(wire)))
        assert.isUndefined(reason)
        assert.strictEqual(items.length, chunks.length)
        chunks.forEach(([ssz, context], index) => {
          const chunk = chunkAt(items, index)
          assert.isTrue(equalBytes(chunk.ssz, ssz))
          assert.strictEqual(chunk.context, toHex(context))
          assert.strictEqual(chunk.wireBytes, wire[index]?.length)
        })
      }),
      { ...seed, numRuns: 60 }
    )
  })

  it("carries requests, in any split", () => {
    fc.assert(
      fc.property(randomBytes({ min: 20, max: 1044 }), splits, (ssz, cut) => {
        const decoder = makeRequestDecoder(dataColumnSidecarsByRange)
        for (const piece of cut(encodeRequest(dataColumnSidecarsByRange, ssz))) {
          assert.isTrue(Either.isRight(decoder.push(piece)))
        }
        assert.deepEqual(decoder.finish(), Either.right(ssz))
      }),
      { ...seed, numRuns: 60 }
    )
  })

  it("writes no bytes for a metadata request, and no frames for an empty one", () => {
    assert.strictEqual(encodeRequest(metadataV3, new Uint8Array(0)).length, 0)
    assert.deepEqual(decodeRequest(metadataV3, new Uint8Array(0)), Either.right(new Uint8Array(0)))
    assert.deepEqual(encodeRequest(dataColumnSidecarsByRoot, new Uint8Array(0)), Uint8Array.of(0))
    assert.deepEqual(decodeRequest(dataColumnSidecarsByRoot, Uint8Array.of(0)), Either.right(new Uint8Array(0)))
  })

  it("keeps what is shorter uncompressed as it is", () => {
    const noise = Uint8Array.from({ length: 32 }, (_, index) => (index * 167 + 13) & 0xff)
    assert.strictEqual(encodeFrames(noise)[identifier.length], 0x01)
    assert.strictEqual(encodeFrames(new Uint8Array(32))[identifier.length], 0x00)
  })
})

describe("errors", () => {
  const reasonOf = (protocol: Protocol, wire: Uint8Array): WireErrorReason | undefined =>
    decodeResponse(protocol, [wire]).reason
  const eight = dataFrame(pingBody)

  it("names what is wrong with the frames", () => {
    const big = new Uint8Array(70_000)
    const lying = (inflated: number): Uint8Array =>
      concatBytes([new Uint8Array(4), encodeVarint(inflated), Uint8Array.of(0, 1)])
    const wrongSum = eight.slice()
    wrongSum[4] = (wrongSum[4] ?? 0) ^ 1
    const cases: ReadonlyArray<readonly [WireErrorReason, Uint8Array]> = [
      ["bad_stream_identifier", chunkOf(8, eight)],
      ["bad_stream_identifier", chunkOf(8, frame(0xff, fromHex("0x734e61507058")), eight)],
      ["bad_stream_identifier", chunkOf(8, frame(0xff, fromHex("0x734e61507059aa")), eight)],
      // Before any of it has come.
      ["bad_stream_identifier", chunkOf(8, Uint8Array.of(0xff, 0x07, 0x00, 0x00))],
      ["unskippable_frame", chunkOf(8, identifier, frame(0x02, new Uint8Array(2)), eight)],
      ["unskippable_frame", chunkOf(8, identifier, frame(0x7f, new Uint8Array(2)), eight)],
      ["frame_too_short", chunkOf(8, identifier, frame(0x01, new Uint8Array(3)))],
      ["frame_too_short", chunkOf(8, identifier, frame(0x00, new Uint8Array(0)))],
      ["frame_exceeds_length", chunkOf(8, identifier, dataFrame(new Uint8Array(9)))],
      ["frame_exceeds_length", chunkOf(8, identifier, frame(0x00, lying(9)))],
      ["frame_too_long", chunkOf(8, identifier, frame(0x00, lying(65_537)))],
      ["bad_block", chunkOf(8, identifier, frame(0x00, lying(8)))],
      ["bad_block", chunkOf(8, identifier, frame(0x00, fromHex("0x00000000ffffffffff01")))],
      ["bad_block", chunkOf(8, identifier, frame(0x00, new Uint8Array(4)))],
      ["bad_checksum", chunkOf(8, identifier, wrongSum)],
      ["early_end", chunkOf(8, identifier, eight.subarray(0, -1))],
      ["early_end", chunkOf(8, identifier)],
      ["early_end", chunkOf(8)],
      ["early_end", Uint8Array.of(0)]
    ]
    for (const [reason, wire] of cases) assert.strictEqual(reasonOf(ping, wire), reason, toHex(wire))
    const sidecar = (...frames: ReadonlyArray<Uint8Array>): Uint8Array =>
      concatBytes([new Uint8Array(5), encodeVarint(big.length), identifier, ...frames])
    const tooLong = Uint8Array.of(0x01, 0x05, 0x00, 0x01)
    assert.strictEqual(reasonOf(dataColumnSidecarsByRange, sidecar(tooLong)), "frame_too_long")
    assert.strictEqual(
      reasonOf(dataColumnSidecarsByRange, sidecar(Uint8Array.of(0x00, 0xcf, 0x2a, 0x01))),
      "frame_too_long"
    )
  })

  it("skips padding and reserved frames, as long as the message stays within its bytes", () => {
    const padding = frame(0xfe, new Uint8Array(3))
    const reserved = frame(0x80, Uint8Array.of(1, 2))
    const wire = chunkOf(8, identifier, padding, frame(0xfd, new Uint8Array(0)), eight)
    assert.deepInclude(decodeResponse(ping, [wire]).items[0], { _tag: "Success" })
    assert.isUndefined(reasonOf(ping, chunkOf(8, identifier, reserved, eight)))
    assert.isUndefined(reasonOf(ping, chunkOf(8, identifier, identifier.subarray(0, 0), eight)))
    // 41 bytes are allowed for 8.
    assert.strictEqual(
      reasonOf(ping, chunkOf(8, identifier, frame(0xfe, new Uint8Array(20)), eight)),
      "too_many_frame_bytes"
    )
    assert.strictEqual(
      reasonOf(ping, chunkOf(8, identifier, Uint8Array.of(0xfe, 0xff, 0xff, 0xff))),
      "too_many_frame_bytes"
    )
    const empties = Array.from({ length: 9 }, () => frame(0xfe, new Uint8Array(0)))
    assert.strictEqual(reasonOf(ping, chunkOf(8, identifier, ...empties)), "too_many_frame_bytes")
  })

  it("names what is wrong with the length", () => {
    const lengthOf = (wire: string): WireErrorReason | undefined => reasonOf(ping, fromHex(`0x00${wire}`))
    assert.strictEqual(lengthOf("8080808080808080808001"), "varint_too_long")
    assert.strictEqual(lengthOf("80808080808080808001"), "varint_overflow")
    assert.strictEqual(lengthOf("8080808080808010"), "varint_overflow")
    assert.strictEqual(lengthOf("07"), "length_out_of_bounds")
    assert.strictEqual(lengthOf("09"), "length_out_of_bounds")
    // Not minimal, but within ten bytes: allowed.
    assert.isUndefined(reasonOf(ping, concatBytes([fromHex("0x008800"), identifier, eight])))
  })

  it("refuses a length at once, before any of it has come", () => {
    for (const [protocol, length] of [
      [statusV2, maxPayloadSize],
      [statusV2, 91],
      [metadataV3, 26],
      [dataColumnSidecarsByRange, maxPayloadSize + 1],
      [dataColumnSidecarsByRange, 55]
    ] as const) {
      const head = concatBytes([new Uint8Array(protocol.context ? 5 : 1), encodeVarint(length)])
      assert.strictEqual(reasonOf(protocol, head), "length_out_of_bounds", `${protocol.id} ${length}`)
    }
    assert.strictEqual(requestReason(statusV2, encodeVarint(maxPayloadSize)), "length_out_of_bounds")
  })

  describe("of an answer whose blocks are known", () => {
    const columns = dataColumnSidecarsByRange
    const sidecar = (length: number) => encodeSuccessChunk(columns, new Uint8Array(length), "0x01020304")
    const allowed = { chunkBytes: 2_500, totalBytes: 6_000 }

    it("a chunk larger than the largest block has is refused at its length, before any of it has come", () => {
      const decoder = makeResponseDecoder(columns, allowed)
      assert.lengthOf(decoder.push(sidecar(2_500)).items, 1)
      const { error, items } = decoder.push(concatBytes([new Uint8Array(5), encodeVarint(4096 * 2144 + 356)]))
      assert.deepInclude({ ...error }, { reason: "length_out_of_bounds" })
      assert.match(error?.message ?? "", /8782180 bytes announced, the largest that a block asked for can have is 2500/)
      assert.isEmpty(items)
    })

    it("more than twice what was asked for ends it, however small the chunks and well they compress", () => {
      const decoder = makeResponseDecoder(columns, allowed)
      const { error, items } = decoder.push(concatBytes(Array.from({ length: 9 }, () => sidecar(1_000))))
      assert.lengthOf(items, 6)
      assert.strictEqual(error?.reason, "too_many_bytes")
      assert.match(
        error?.message ?? "",
        /7000 bytes announced in all chunks so far, allowed for what was asked is 6000/
      )
    })

    it("an error chunk is heard all the same", () => {
      const decoder = makeResponseDecoder(columns, { chunkBytes: 56, totalBytes: 56 })
      const { items } = decoder.push(concatBytes([sidecar(56), encodeErrorChunk(3, "x".repeat(200))]))
      assert.deepInclude(items[1], { _tag: "Error", code: 3 })
    })
  })

  it("allows nothing behind the end", () => {
    const chunk = encodeSuccessChunk(ping, pingBody)
    const refusal = encodeErrorChunk(2, "no")
    assert.strictEqual(reasonOf(ping, concatBytes([chunk, chunk])), "too_many_chunks")
    assert.strictEqual(reasonOf(ping, concatBytes([refusal, Uint8Array.of(0)])), "trailing_bytes")
    assert.isUndefined(reasonOf(ping, concatBytes([chunk, refusal])))
    const request = encodeRequest(ping, pingBody)
    assert.strictEqual(requestReason(ping, concatBytes([request, Uint8Array.of(0)])), "trailing_bytes")
    assert.strictEqual(requestReason(ping, request.subarray(0, -1)), "early_end")
    assert.strictEqual(requestReason(ping, new Uint8Array(0)), "early_end")
    assert.strictEqual(requestReason(metadataV2, Uint8Array.of(0)), "trailing_bytes")
  })

  it("keeps the chunks that came before the error, and the error for good", () => {
    const sidecar = new Uint8Array(60)
    const wire = concatBytes([
      encodeSuccessChunk(dataColumnSidecarsByRange, sidecar, "0x01020304"),
      encodeSuccessChunk(dataColumnSidecarsByRange, sidecar, "0x01020304"),
      new Uint8Array(7)
    ])
    const decoder = makeResponseDecoder(dataColumnSidecarsByRange)
    const { items, error } = decoder.push(wire)
    assert.strictEqual(items.length, 2)
    assert.strictEqual(error?.reason, "length_out_of_bounds")
    assert.strictEqual(decoder.push(wire).items.length, 0)
    assert.strictEqual(decoder.push(wire).error, error)
    assert.deepEqual(decoder.finish(), error === undefined ? Either.void : Either.left(error))
  })

  it("takes a result code for the answer, whatever becomes of its message", () => {
    const message = new TextEncoder().encode("slow down, ".repeat(40))
    const spoilt = encodeErrorChunk(139, "slow down")
    spoilt[spoilt.length - 1] = (spoilt.at(-1) ?? 0) ^ 1
    const cases: ReadonlyArray<readonly [string, Uint8Array, string]> = [
      ["no length", new Uint8Array(0), ""],
      ["an empty message", Uint8Array.of(0), ""],
      ["a length and no message", encodeVarint(9), ""],
      ["half a message", spoilt.subarray(1, -4), ""],
      ["a message of another checksum", spoilt.subarray(1), ""],
      ["text that is not compressed", new TextEncoder().encode("slow down"), ""],
      ["a length that is none", new Uint8Array(12).fill(0xff), ""],
      ["a length that nobody waits for", encodeVarint(maxPayloadSize), ""],
      ["a long message", concatBytes([encodeVarint(message.length), encodeFrames(message)]), "slow down, ".repeat(40)]
    ]
    for (const [name, rest, text] of cases) {
      const wire = concatBytes([encodeSuccessChunk(ping, pingBody), Uint8Array.of(139), rest])
      for (const pieces of [[wire], Array.from(wire, (byte) => Uint8Array.of(byte))]) {
        const { items, reason } = decodeResponse(ping, pieces)
        assert.isUndefined(reason, name)
        assert.strictEqual(items.length, 2, name)
        assert.deepStrictEqual(items[1], { _tag: "Error", code: 139, message: text.slice(0, 256) }, name)
      }
    }
  })

  it("makes the text of an error chunk printable and short", () => {
    const text = (message: string): unknown => decodeResponse(ping, [encodeErrorChunk(2, message)]).items[0]
    assert.deepStrictEqual(text("a\u0000b\u001b[31m\nc"), { _tag: "Error", code: 2, message: "a?b?[31m c" })
    assert.deepStrictEqual(text("é".repeat(128)), { _tag: "Error", code: 2, message: "é".repeat(128) })
    // Cut in the middle of a character.
    assert.deepStrictEqual(text(`x${"é".repeat(200)}`), {
      _tag: "Error",
      code: 2,
      message: `x${"é".repeat(127)}\ufffd`
    })
  })
})

describe("an empty block", () => {
  const header = Uint8Array.of(0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59)
  // CRC-32C of nothing, masked; then no bytes, once as they are and once compressed.
  const empty = [
    Uint8Array.of(1, 4, 0, 0, 0xd8, 0xea, 0x82, 0xa2),
    Uint8Array.of(0, 5, 0, 0, 0xd8, 0xea, 0x82, 0xa2, 0)
  ]

  it("is read over, before others and between them", () => {
    const data = new Uint8Array(600).map((_, index) => index * 7)
    const frames = encodeFrames(data).subarray(header.length)
    const decoder = makeFrameDecoder(data.length)
    const bytes = concatBytes([header, ...empty, frames])
    assert.strictEqual(decoder.push(bytes, 0), bytes.length)
    assert.deepStrictEqual(decoder.data(), data)
  })

  it("makes nobody keep room for what may never come", () => {
    const before = process.memoryUsage().arrayBuffers
    const decoders = Array.from({ length: 50 }, () => makeFrameDecoder(maxPayloadSize))
    for (const decoder of decoders) decoder.push(concatBytes([header, ...empty]), 0)
    assert.isBelow(process.memoryUsage().arrayBuffers - before, 10 * maxPayloadSize)
    assert.isTrue(decoders.every((decoder) => decoder.data() === undefined))
  })
})

describe("hostile bytes", () => {
  it("never throws, and gives nothing that was not sent or is beyond the bounds, whatever is changed", () => {
    const payload = randomBytes({ min: 56, max: 70_000 })
    fc.assert(
      fc.property(payload, fc.boolean(), corrupted, splits, (data, small, corrupt, cut) => {
        const protocol = small ? { ...statusV2, maxChunks: 2 } : dataColumnSidecarsByRange
        const ssz = small ? new Uint8Array(92).fill(data[0] ?? 0) : data
        const chunk = encodeSuccessChunk(protocol, ssz, "0x01020304")
        const { items, reason } = decodeResponse(protocol, cut(corrupt(concatBytes([chunk, chunk]))))
        items.forEach((item, index) => {
          if (item._tag === "Success") assert.isAtMost(item.chunk.ssz.length, protocol.response.max)
          // Context bytes and padding are not under a checksum: a changed one goes unnoticed, but data never does.
          if (reason === undefined && item._tag === "Success") {
            assert.isTrue(equalBytes(chunkAt(items, index).ssz, ssz))
          }
        })
      }),
      { ...seed, numRuns: 150 }
    )
  })

  it("never throws at noise", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), splits, (noise, cut) => {
        for (const protocol of [ping, metadataV3, dataColumnSidecarsByRange]) {
          decodeResponse(protocol, cut(noise))
          decodeRequest(protocol, noise)
          decodeResponse(protocol, [
            new Uint8Array(protocol.context ? 5 : 1),
            encodeVarint(60),
            identifier,
            ...cut(noise)
          ])
        }
      }),
      { ...seed, numRuns: 300 }
    )
  })

  it("does not take long for a payload of 10 MiB in pieces of one kilobyte", () => {
    const wire = encodeSuccessChunk(dataColumnSidecarsByRange, new Uint8Array(maxPayloadSize).fill(7), "0x01020304")
    const plain = concatBytes([
      new Uint8Array(5),
      encodeVarint(maxPayloadSize),
      identifier,
      ...Array.from({ length: maxPayloadSize / 65_536 }, () => dataFrame(noiseBlock))
    ])
    for (const bytes of [wire, plain]) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / 1024) }, (_, index) =>
        bytes.subarray(index * 1024, (index + 1) * 1024)
      )
      const started = performance.now()
      const { items } = decodeResponse(dataColumnSidecarsByRange, pieces)
      assert.strictEqual(items[0]?._tag === "Success" ? items[0].chunk.ssz.length : 0, maxPayloadSize)
      // A copy of all that came before for every piece would take minutes.
      assert.isBelow(performance.now() - started, 9_000)
    }
  })
})

/** 64 KiB that do not compress. */
const noiseBlock = concatBytes(
  Array.from({ length: 2048 }, (_, index) => new Uint8Array(createHash("sha256").update(`${index}`).digest()))
)
