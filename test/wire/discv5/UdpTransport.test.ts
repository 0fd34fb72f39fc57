import { createSocket } from "node:dgram"
import { createRandomPacket, encodePacket } from "@chainsafe/discv5/packet"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { emitterOf } from "../../../src/wire/discv5/Emitter.ts"
import { UdpTransport } from "../../../src/wire/discv5/UdpTransport.ts"

const own = "11".repeat(32)
const packet = encodePacket(own, createRandomPacket("22".repeat(32)))

/** How many packets are looked at of those that come from these addresses at one moment. */
const looked = (addresses: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const socket = yield* Effect.acquireRelease(
      Effect.sync(() => createSocket("udp6")),
      (socket) => Effect.sync(() => socket.close())
    )
    const transport = new UdpTransport([{ socket, family: 6, host: "::1", port: 9000 }], own, () => 0)
    let count = 0
    emitterOf(transport).on("packet", () => void count++)
    yield* Effect.promise(() => transport.start())
    for (const address of addresses) {
      socket.emit("message", packet, { address, family: "IPv6", port: 9000, size: packet.length })
    }
    return count
  })

describe("packets of discv5", () => {
  it.scoped("are so many of one host at once, whichever address of its own it takes", () =>
    Effect.gen(function* () {
      const hosts = (net: string) => Array.from({ length: 1_100 }, (_, index) => `${net}::${(index + 1).toString(16)}`)
      assert.strictEqual(yield* looked(hosts("2001:db8:0:1")), 1_000)
      assert.strictEqual(yield* looked([...hosts("2001:db8:0:1"), "2001:db8:0:2::1"]), 1_001)
      assert.strictEqual(yield* looked(Array.from({ length: 1_100 }, () => "fe80::1%eth0")), 1_000)
    })
  )
})
