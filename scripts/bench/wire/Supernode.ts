import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Either } from "effect"
import { uint64LittleEndian } from "../../../src/domain/Bytes.ts"
import { sidecarBytes } from "../../../src/domain/column/Sidecar.ts"
import { forkDigestOfSlot } from "../../../src/domain/network/ForkDigest.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import { dataColumnSidecarsByRange } from "../../../src/wire/Protocol.ts"
import { decodeColumnsByRange } from "../../../src/wire/Requests.ts"
import { serve } from "../../../src/wire/Server.ts"
import { makeRandom } from "../Bench.ts"
import { wireChain } from "./WireChain.ts"

/** The arguments of this script: blobs of each block, and how many peers it is. */
const [blobs, peers] = process.argv.slice(2).map(Number)
if (blobs === undefined || peers === undefined) throw new Error("Supernode <blobs> <peers>")

/** As large and as hard to compress as a real one, and without any proof: nobody verifies it here. */
const body = (() => {
  const random = makeRandom(7)
  const ssz = Uint8Array.from({ length: sidecarBytes("fulu", blobs) }, () => random() * 256)
  new DataView(ssz.buffer).setUint32(8, sidecarBytes("fulu", 0), true)
  return ssz
})()

const sidecarOf = (slot: number, column: number): Uint8Array => {
  const ssz = body.slice()
  ssz.set(uint64LittleEndian(column), 0)
  ssz.set(uint64LittleEndian(slot), 20)
  return ssz
}

const peer = Effect.gen(function* () {
  const node = yield* makeNode({ agent: "bench/1" })
  yield* serve(node, dataColumnSidecarsByRange, (ssz, _peer, reply) =>
    Effect.gen(function* () {
      const { columns, count, startSlot } = yield* Either.mapLeft(decodeColumnsByRange(ssz), (error) => error)
      for (let slot = startSlot; slot < startSlot + count; slot++) {
        const context = forkDigestOfSlot(wireChain, slot)
        for (const column of columns) yield* reply.chunk(sidecarOf(slot, column), context)
      }
    }).pipe(Effect.catchTag("WireError", () => Effect.void))
  )
  return node.getMultiaddrs().map((address) => address.toString())[0] ?? ""
})

NodeRuntime.runMain(
  Effect.scoped(
    Effect.gen(function* () {
      const addresses = yield* Effect.all(Array.from({ length: peers }, () => peer))
      yield* Console.log(JSON.stringify(addresses))
      return yield* Effect.never
    })
  )
)
