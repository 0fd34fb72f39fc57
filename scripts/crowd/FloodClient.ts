import { multiaddr } from "@multiformats/multiaddr"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Random, Schedule } from "effect"
import { encodeMetadata, encodeUint64 } from "../../src/wire/Handshake.ts"
import { makeNode } from "../../src/wire/Node.ts"
import {
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  metadataV3,
  ping,
  statusV2
} from "../../src/wire/Protocol.ts"
import { serve, serveNothing } from "../../src/wire/Server.ts"

/*
 * One identity after the other that connects to a monitor, in a process of its own. Arguments: its multiaddr, identities a
 * second, and for how many seconds each of them stays. Each claims a history from slot 0 on and any number of groups, and
 * has no column of it. Prints how many came in, and how many did not, as a line of JSON every second.
 */
const [address = "", perSecond = "1", seconds = "10"] = process.argv.slice(2)
const counts = { connected: 0, failed: 0 }

const visit = Effect.gen(function* () {
  const custodyGroupCount = yield* Random.nextIntBetween(4, 129)
  const node = yield* makeNode({ agent: "flood", listen: [] })
  // What it says of itself is what it is told, but for the earliest slot.
  yield* serve(node, statusV2, (ssz, _, reply) => reply.chunk(ssz.slice().fill(0, ssz.length - 8)))
  yield* serve(node, metadataV3, (_, __, reply) =>
    reply.chunk(encodeMetadata(metadataV3, { sequenceNumber: 1, custodyGroupCount }))
  )
  yield* serve(node, ping, (_, __, reply) => reply.chunk(encodeUint64(1)))
  for (const { id } of [dataColumnSidecarsByRange, dataColumnSidecarsByRoot]) yield* serveNothing(node, id)
  yield* Effect.tryPromise((signal) => node.dial(multiaddr(address), { signal })).pipe(
    Effect.timeout("10 seconds"),
    Effect.match({ onSuccess: () => counts.connected++, onFailure: () => counts.failed++ })
  )
  yield* Effect.sleep(Number(seconds) * 1000)
}).pipe(Effect.scoped, Effect.ignoreLogged)

Effect.gen(function* () {
  yield* Effect.forkScoped(
    Effect.repeat(
      Effect.suspend(() => Console.log(JSON.stringify(counts))),
      Schedule.spaced("1 second")
    )
  )
  return yield* Effect.forkScoped(visit).pipe(Effect.repeat(Schedule.spaced(1000 / Number(perSecond))))
}).pipe(Effect.scoped, NodeRuntime.runMain)
