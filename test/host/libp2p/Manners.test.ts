import "../../../src/wire/Polyfill.ts"
import { assert, describe, it } from "@effect/vitest"
import { noise } from "@libp2p/noise"
import { tcp } from "@libp2p/tcp"
import { yamux } from "@libp2p/yamux"
import { multiaddr } from "@multiformats/multiaddr"
import { Duration, Effect, Option } from "effect"
import { createLibp2p } from "libp2p"
import type { Host } from "../../../src/host/Host.ts"
import { make } from "../../../src/host/libp2p/Libp2pHost.ts"
import { open } from "../../../src/wire/ByteStream.ts"
import { request } from "../../../src/wire/Client.ts"
import { type StatusMessage, statusRequest } from "../../../src/wire/Handshake.ts"
import { ping } from "../../../src/wire/Protocol.ts"
import { eventually } from "../../Eventually.ts"
import { scaledMs } from "../../TimeLimits.ts"
import { stranger } from "./Nodes.ts"

const status: StatusMessage = {
  forkDigest: "0x8c9f62fe",
  finalizedRoot: `0x${"00".repeat(32)}`,
  finalizedEpoch: 0,
  headRoot: `0x${"ab".repeat(32)}`,
  headSlot: 1234,
  earliestAvailableSlot: 1234
}

const makeHost = (silenceMs: number, streams: number) =>
  make({
    version: "1.2.3",
    status: Effect.succeed(status),
    manners: { silence: Duration.millis(silenceMs), streams, second: Duration.minutes(1) }
  })

/** A node that does not even say who it is. */
const silent = Effect.acquireRelease(
  Effect.promise(() =>
    createLibp2p({
      addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false }
    })
  ),
  (node) => Effect.promise(async () => node.stop())
)

const addressesOf = (host: Host["Type"]) => host.multiaddrs.map((address) => multiaddr(address))

describe("a connection that someone else opened", () => {
  it.scopedLive("is closed when nothing is said on it, and stays when anything is; as those that we open do", () =>
    Effect.gen(function* () {
      const host = yield* makeHost(scaledMs("3 seconds"), 256)
      const identified = yield* stranger
      const kept = yield* Effect.promise(() => identified.dial(addressesOf(host)))
      const greeting = yield* silent
      const greeted = yield* Effect.promise(() => greeting.dial(addressesOf(host)))
      yield* Effect.scoped(request(greeted, statusRequest(status)))
      const met = yield* silent
      const ours = met.getMultiaddrs().map((address) => address.decapsulate("/p2p").toString())
      yield* host.connect({ peerId: met.peerId.toString(), multiaddrs: ours, enrCustodyGroupCount: Option.none() })
      const mute = yield* silent
      const lost = yield* Effect.promise(() => mute.dial(addressesOf(host)))
      yield* eventually(() => lost.status !== "open")
      assert.deepStrictEqual([kept.status, greeted.status, met.getConnections().length], ["open", "open", 1])
      yield* eventually(Effect.map(host.connected, (peers) => peers.length === 3))
    })
  )

  it.scopedLive("is closed when it has more streams open than anyone needs", () =>
    Effect.gen(function* () {
      const host = yield* makeHost(60_000, 2)
      const node = yield* stranger
      const connection = yield* Effect.promise(() => node.dial(addressesOf(host)))
      for (let times = 0; times < 3; times++) {
        yield* open((signal) => connection.newStream(ping.id, { signal, maxOutboundStreams: 10 }), {
          writeTimeout: "10 seconds"
        })
      }
      yield* eventually(() => connection.status !== "open")
    })
  )
})
