import { assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { Effect, TestClock } from "effect"
import { type DialOrder, makeDialOrder } from "../../../src/host/libp2p/DialOrder.ts"

const tcp4 = multiaddr("/ip4/192.0.2.1/tcp/9000/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
const tcp6 = multiaddr("/ip6/2001:db8::1/tcp/9000/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
const quic4 = multiaddr("/ip4/192.0.2.1/udp/9001/quic-v1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
const quic6 = multiaddr("/ip6/2001:db8::1/udp/9001/quic-v1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
const name = multiaddr("/dns4/a.example/udp/9001/quic-v1/p2p/QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC")
const all = [tcp4, quic4, tcp6, quic6]

const sorted = (order: DialOrder, addresses = all) =>
  Effect.map(order.sort(addresses), (found) => found.map((address) => addresses.indexOf(address)))

describe("the order in which addresses are dialled", () => {
  it.effect("is QUIC first, and otherwise as they were given", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sorted(makeDialOrder()), [1, 3, 0, 2])
    })
  )

  it.effect("puts last what was silent, for ten minutes or until a peer is reached there", () =>
    Effect.gen(function* () {
      const order = makeDialOrder()
      yield* order.note([quic4, quic6, tcp4, tcp6], tcp4)
      assert.deepStrictEqual(yield* sorted(order), [0, 2, 1, 3])
      yield* TestClock.adjust("9 minutes")
      yield* order.note([tcp4, tcp6, quic4, quic6], quic4)
      // Neither of TCP was reached this time, and QUIC was at the first of its addresses.
      assert.deepStrictEqual(yield* sorted(order), [1, 3, 0, 2])
      yield* TestClock.adjust("1 minute")
      yield* order.note([tcp4, tcp6, quic4, quic6])
      assert.deepStrictEqual(yield* sorted(order), [1, 3, 0, 2])
      yield* order.note([quic6, tcp6], tcp6)
      assert.deepStrictEqual(yield* sorted(order), [2, 1, 3, 0])
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* sorted(order), [1, 3, 0, 2])
    })
  )

  it.effect("knows a name by the transport of the connection", () =>
    Effect.gen(function* () {
      const order = makeDialOrder()
      yield* order.note([name, tcp4], quic4)
      assert.deepStrictEqual(yield* sorted(order, [tcp4, name]), [1, 0])
      yield* order.note([name, tcp4], tcp4)
      assert.deepStrictEqual(yield* sorted(order, [tcp4, name]), [0, 1])
    })
  )

  it.effect("remembers a bounded number of them", () =>
    Effect.gen(function* () {
      const order = makeDialOrder()
      yield* order.note([quic4])
      for (let peer = 0; peer < 16_384; peer++)
        yield* order.note([multiaddr(`/ip4/10.0.${peer >> 8}.${peer & 255}/tcp/1`)])
      assert.deepStrictEqual(yield* sorted(order), [1, 3, 0, 2])
    })
  )
})
