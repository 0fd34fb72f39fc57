import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { enrEntries } from "../../src/discovery/discv5/OwnEnr.ts"
import { changeEnr, makeEnr } from "../../src/wire/discv5/ChangeableEnr.ts"
import { firstSequence, keepRecord } from "../../src/discovery/record/RecordFile.ts"
import { makeChain } from "../domain/network/Chains.ts"
import { keyOf, signedEnr } from "./Nodes.ts"

const chain = makeChain({})
const atEpoch = (epoch: number) => slotStart(chain, epoch * chain.slotsPerEpoch)
const everything = ([4, 6] as const).map((family) => ({
  family,
  host: family === 4 ? "203.0.113.7" : "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
  tcp: 65_535,
  udp: 65_534,
  quic: 65_533
}))

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-enr-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
)

describe("our own ENR", () => {
  it("fits into 300 bytes with all that it may say, and is read back", () => {
    const entries = enrEntries({ chain, now: atEpoch(19), custodyGroupCount: 128, reach: everything })
    const enr = makeEnr(keyOf("own"), entries, 1_900_000_000_000n)
    assert.isBelow(enr.encode().length, 300)
    const record = Effect.runSync(decodeNodeRecord(enr.encodeTxt()))
    assert.strictEqual(record.seq, 1_900_000_000_000n)
    assert.include(record.multiaddrs, "/ip4/203.0.113.7/tcp/65535")
    assert.deepStrictEqual(record.custodyGroupCount, Option.some(128))
    assert.strictEqual(
      [...enr.kvs.keys()].sort().join(" "),
      "attnets cgc eth2 id ip ip6 nfd quic quic6 secp256k1 syncnets tcp tcp6 udp udp6"
    )
  })

  it("rises when it changes, and stays when it does not", () => {
    const at = (epoch: number, reach = everything) =>
      enrEntries({ chain, now: atEpoch(epoch), custodyGroupCount: 4, reach })
    const enr = makeEnr(keyOf("own"), at(19), 100n)
    const first = enr.encodeTxt()
    assert.isFalse(changeEnr(enr, at(19)))
    assert.strictEqual(enr.encodeTxt(), first)
    assert.isTrue(changeEnr(enr, at(20)))
    const second = Effect.runSync(decodeNodeRecord(enr.encodeTxt()))
    assert.isTrue(second.seq > 100n)
    assert.isTrue(changeEnr(enr, at(20, [])))
    const third = Effect.runSync(decodeNodeRecord(enr.encodeTxt()))
    assert.isTrue(third.seq > second.seq)
    assert.deepStrictEqual(third.multiaddrs, [])
  })

  it("is of epoch 0 before genesis", () => {
    const entries = enrEntries({ chain, now: 0, custodyGroupCount: 4, reach: [] })
    assert.deepStrictEqual(entries, enrEntries({ chain, now: atEpoch(0), custodyGroupCount: 4, reach: [] }))
  })

  it.scoped("never goes back over restarts, whatever becomes of the clock or of the file", () =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "deeper", "key.enr")
      const { nodeId } = yield* decodeNodeRecord(signedEnr("own", chain, 0))
      const begin = firstSequence(path, nodeId)
      const year = 365 * 86_400_000

      yield* TestClock.setTime(50 * year)
      assert.strictEqual(yield* begin, BigInt(50 * year))
      yield* keepRecord(path, signedEnr("own", chain, 0, { seq: BigInt(50 * year) + 7n }))
      assert.strictEqual(statSync(path).mode & 0o777, 0o600)
      assert.strictEqual(yield* begin, BigInt(50 * year) + 8n)
      yield* TestClock.setTime(49 * year)
      assert.strictEqual(yield* begin, BigInt(50 * year) + 8n)
      yield* TestClock.setTime(51 * year)
      assert.strictEqual(yield* begin, BigInt(51 * year))

      // Of another key, or no ENR at all.
      yield* keepRecord(path, signedEnr("other", chain, 0, { seq: BigInt(90 * year) }))
      assert.strictEqual(yield* begin, BigInt(51 * year))
      for (const content of ["", "junk", readFileSync(path, "utf8").slice(0, 40)]) {
        writeFileSync(path, content)
        assert.strictEqual(yield* begin, BigInt(51 * year))
      }
      // A folder cannot be written as a file: told, and no more.
      yield* keepRecord(join(path, ".."), "enr:-")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
