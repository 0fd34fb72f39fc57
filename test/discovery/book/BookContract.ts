import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option, TestClock } from "effect"
import { AddressBook } from "../../../src/discovery/book/AddressBook.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import type { HistoryError } from "../../../src/history/store/History.ts"
import { nodeOf, peerIdOf } from "./Nodes.ts"

const entry = (n: number) => Effect.map(AddressBook, (book) => book.entries().get(peerIdOf(n)))

/** What every AddressBook must do; `layer` gives an empty one each time it is built, that holds 100 entries at most. */
export const bookContract = (name: string, layer: Layer.Layer<AddressBook, HistoryError>): void => {
  describe(`${name} is an AddressBook`, () => {
    const test = <E>(title: string, body: Effect.Effect<void, E, AddressBook>) =>
      it.effect(title, () => Effect.provide(body, layer))

    test(
      "knows what it heard, and the node's id",
      Effect.gen(function* () {
        const book = yield* AddressBook
        yield* TestClock.adjust("1 second")
        yield* book.hear(nodeOf(1, { count: 8, enr: "enr:-1", seq: 3n }))
        const known = yield* entry(1)
        assert.deepStrictEqual(known, {
          peerId: peerIdOf(1),
          nodeId: known?.nodeId ?? Option.none(),
          multiaddrs: ["/ip4/192.0.0.1/tcp/9000"],
          enr: Option.some("enr:-1"),
          seq: Option.some(3n),
          enrCustodyGroupCount: Option.some(8),
          agent: Option.none(),
          claim: Option.none(),
          source: "discv5",
          firstSeen: 1000,
          lastSeen: 1000,
          reachedAt: Option.none(),
          auditedAt: Option.none(),
          triedAt: Option.none(),
          failures: 0,
          notBefore: 0,
          score: neutralScore
        })
        assert.strictEqual(Option.getOrThrow(known?.nodeId ?? Option.none()).length, 32)
      })
    )

    test(
      "lets a newer record take the place of an older one, and not the other way round",
      Effect.gen(function* () {
        const book = yield* AddressBook
        const at = (port: number, seq?: bigint) =>
          book.hear(
            nodeOf(1, {
              address: { ...nodeOf(1).address, multiaddrs: [`/ip4/192.0.2.1/tcp/${port}`] },
              ...(seq === undefined ? {} : { seq, enr: `enr:-${seq}` })
            })
          )
        const addresses = Effect.map(entry(1), (known) => known?.multiaddrs)
        yield* at(1, 5n)
        yield* at(2, 4n)
        assert.deepStrictEqual(yield* addresses, ["/ip4/192.0.2.1/tcp/1"])
        yield* at(3)
        assert.deepStrictEqual(yield* addresses, ["/ip4/192.0.2.1/tcp/3", "/ip4/192.0.2.1/tcp/1"])
        yield* at(4, 6n)
        assert.deepStrictEqual(yield* addresses, ["/ip4/192.0.2.1/tcp/4"])
        assert.deepStrictEqual((yield* entry(1))?.enr, Option.some("enr:-6"))
      })
    )

    test(
      "takes back the back-off of a node that moved only if it was never reached",
      Effect.gen(function* () {
        const book = yield* AddressBook
        const moved = (n: number, seq: bigint) =>
          book.hear(nodeOf(n, { address: { ...nodeOf(n + 50).address, peerId: peerIdOf(n) }, seq }))
        for (const n of [1, 2]) {
          yield* book.hear(nodeOf(n, { seq: 1n }))
          yield* book.note(peerIdOf(n), { failures: 3, notBefore: 9 })
        }
        yield* book.note(peerIdOf(2), { reachedAt: Option.some(1) })
        yield* moved(1, 2n)
        yield* moved(2, 2n)
        assert.deepInclude(yield* entry(1), { failures: 0, notBefore: 0 })
        assert.deepInclude(yield* entry(2), { failures: 3, notBefore: 9 })
      })
    )

    test(
      "notes what is found out of those whom it knows",
      Effect.gen(function* () {
        const book = yield* AddressBook
        yield* book.note(peerIdOf(1), { failures: 1 })
        assert.isUndefined(yield* entry(1))
        yield* book.hear(nodeOf(1))
        yield* book.note(peerIdOf(1), { failures: 2, agent: Option.some("Teku/1") })
        yield* book.note(peerIdOf(1), { claim: Option.some({ groupCount: 8, earliestAvailableSlot: null }) })
        yield* book.hear(nodeOf(1))
        assert.deepInclude(yield* entry(1), {
          failures: 2,
          agent: Option.some("Teku/1"),
          claim: Option.some({ groupCount: 8, earliestAvailableSlot: null })
        })
      })
    )

    test(
      "calls a node by who found it, and not by the configuration or its own coming",
      Effect.gen(function* () {
        const book = yield* AddressBook
        const source = Effect.map(entry(1), (known) => known?.source)
        for (const [heard, expected] of [
          ["inbound", "inbound"],
          ["config", "config"],
          ["inbound", "config"],
          ["beacon_node", "beacon_node"],
          ["config", "beacon_node"]
        ] as const) {
          yield* book.hear(nodeOf(1, { source: heard }))
          assert.strictEqual(yield* source, expected)
        }
      })
    )

    test(
      "when it is full lets go of those that cannot be dialled, then of the oldest that were never reached",
      Effect.gen(function* () {
        const book = yield* AddressBook
        yield* book.hear(nodeOf(0, { source: "config" }))
        for (let n = 1; n < 99; n++) {
          yield* TestClock.adjust("1 second")
          yield* book.hear(nodeOf(n))
        }
        yield* book.note(peerIdOf(1), { reachedAt: Option.some(1) })
        yield* book.hear({ ...nodeOf(99), address: { ...nodeOf(99).address, multiaddrs: [] }, source: "inbound" })
        yield* book.hear(nodeOf(100))
        assert.strictEqual(book.entries().size, 100)
        assert.isUndefined(yield* entry(99))
        yield* book.hear(nodeOf(101))
        assert.strictEqual(book.entries().size, 100)
        assert.isUndefined(yield* entry(2))
        for (const n of [0, 1, 3, 100, 101]) assert.isDefined(yield* entry(n), String(n))
      })
    )
  })
}
