import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Either, Schema } from "effect"
import { compressSync } from "snappy"
import { toHex } from "../../../src/domain/Bytes.ts"
import { messageId } from "../../../src/wire/gossip/MessageId.ts"
import { decodeBlock } from "../../../src/wire/SnappyBlock.ts"

const folder = new URL("../../vectors/gossip/", import.meta.url)
const vector = Schema.decodeUnknownSync(
  Schema.Struct({
    topic: Schema.String,
    data_file: Schema.String,
    message_id: Schema.String
  })
)(JSON.parse(readFileSync(new URL("gossip.json", folder), "utf8")))

describe("gossip message", () => {
  const wire = readFileSync(new URL(vector.data_file, folder))

  it("has the id of Altair over topic and decompressed data", () => {
    const data = Either.getOrThrow(decodeBlock(wire, 10_000))
    assert.strictEqual(toHex(messageId(vector.topic, data)), vector.message_id)
  })

  it("is inflated up to what is allowed, and not a byte of it beyond", () => {
    const block = compressSync(new Uint8Array(5_000))
    assert.strictEqual(Either.getOrThrow(decodeBlock(block, 5_000)).length, 5_000)
    const over = Either.getLeft(decodeBlock(block, 4_999))
    assert.strictEqual(
      over._tag === "Some" && over.value.message,
      "length_out_of_bounds: a block of 5000 bytes, allowed is 4999"
    )
    for (const junk of [new Uint8Array(0), Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff), Uint8Array.of(9, 0xf0)]) {
      assert.isTrue(Either.isLeft(decodeBlock(junk, 5_000)))
    }
  })
})
