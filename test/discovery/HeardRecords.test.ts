import { assert, describe, it } from "@effect/vitest"
import { ENR } from "@chainsafe/enr"
import { Clock, Effect, Option } from "effect"
import { bigEndian } from "../../src/domain/Bytes.ts"
import { makeHeardRecords } from "../../src/discovery/discv5/HeardRecords.ts"
import { ipBytes } from "../../src/wire/discv5/UdpEndpoint.ts"
import { network, signedEnr } from "./Nodes.ts"

describe("the records of strangers", () => {
  /** What comes of one that says these addresses. */
  const heardOf = (isNear: boolean, entries: Record<string, Uint8Array>) =>
    Effect.gen(function* () {
      const chain = yield* network()
      const heard = yield* makeHeardRecords({ chain, clock: yield* Effect.clock, isNear })
      const enr = ENR.decodeTxt(signedEnr("stranger", chain, yield* Clock.currentTimeMillis, { entries }))
      heard.hear(enr)
      return Option.map(heard.get(enr.nodeId), ({ address }) => address.multiaddrs)
    })
  const own = { ip: ipBytes("127.0.0.1"), tcp: bigEndian(22) }
  const router = { ip: ipBytes("192.168.1.1"), quic: bigEndian(80) }

  it.live("lead neither to this machine nor into our private net where the network is out in the Internet", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* heardOf(false, own), Option.none())
      assert.deepStrictEqual(yield* heardOf(false, router), Option.none())
      assert.deepStrictEqual(yield* heardOf(false, { ip: ipBytes("0.0.0.0") }), Option.none())
      const both = { ...own, ip6: ipBytes("2001:db8::7") }
      assert.deepStrictEqual(yield* heardOf(false, both), Option.some(["/ip6/2001:db8::7/tcp/22"]))
    })
  )

  it.live("lead there where the network is on this machine, or in a private net", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* heardOf(true, own), Option.some(["/ip4/127.0.0.1/tcp/22"]))
      assert.deepStrictEqual(yield* heardOf(true, { ip: ipBytes("255.255.255.255") }), Option.none())
    })
  )
})
