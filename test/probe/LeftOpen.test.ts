import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { epochStart } from "../../src/domain/network/Chain.ts"
import { digestTable, forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { Host } from "../../src/host/Host.ts"
import { answerSizes } from "../../src/probe/AnswerSizes.ts"
import { makeHeldSidecars } from "../../src/probe/HeldSidecars.ts"
import { requestColumns } from "../../src/probe/RequestColumns.ts"
import { request } from "../../src/wire/Client.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { dataColumnSidecarsByRange } from "../../src/wire/Protocol.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { serve } from "../../src/wire/Server.ts"
import { eventually } from "../Eventually.ts"
import { chain } from "./FakeWorld.ts"

describe("over sockets", () => {
  it.scopedLive("a peer that sends everything and never half-closes is heard to the end, and its stream reset", () =>
    Effect.gen(function* () {
      const slot = epochStart(chain, 2)
      const server = yield* makeNode({ agent: "server/1" })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      const connection = yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
      yield* serve(server, dataColumnSidecarsByRange, (_ssz, _peer, reply) =>
        Effect.gen(function* () {
          for (const column of [3, 4]) {
            const ssz = new Uint8Array(56)
            const view = new DataView(ssz.buffer)
            view.setUint8(0, column)
            view.setUint32(8, 56, true)
            view.setUint32(12, 56, true)
            view.setUint32(16, slot, true)
            yield* reply.chunk(ssz, forkDigestOfSlot(chain, slot))
          }
          return yield* Effect.never
        })
      )
      const asked = { startSlot: slot, count: 1, columns: [3, 4] }
      const received = yield* Effect.flatMap(Host, (host) =>
        requestColumns(
          {
            host,
            network: { chain, digests: digestTable(chain) },
            peerId: "peer",
            sizes: answerSizes(chain, { start: slot, end: slot }, [], []),
            held: makeHeldSidecars(1_000, 1_000)
          },
          columnsByRange(asked),
          { _tag: "ByRange", ...asked },
          [{ slot, columns: asked.columns }]
        )
      ).pipe(
        Effect.provide(
          Layer.mock(Host, { peerId: "us", multiaddrs: [], request: (_, message) => request(connection, message) })
        )
      )
      assert.deepStrictEqual(
        received.delivered.map(({ column }) => column),
        [3, 4]
      )
      assert.isTrue(Option.isNone(received.error))
      assert.deepStrictEqual(
        received.findings.map(({ kind }) => kind),
        ["stream_left_open"]
      )
      yield* eventually(() => connection.streams.every(({ protocol }) => protocol.startsWith("/meshsub/")))
    })
  )
})
