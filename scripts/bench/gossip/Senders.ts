import { Console, Effect, Schedule, Schema } from "effect"
import { NodeRuntime } from "@effect/platform-node"
import { multiaddr } from "@multiformats/multiaddr"
import { encodeSidecar, sidecarOf } from "../../../src/devnet/chain/DevBlock.ts"
import { numberOfColumns, slotStart } from "../../../src/domain/network/Chain.ts"
import { columnTopic } from "../../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../../src/domain/network/ForkDigest.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import { makeRandom } from "../Bench.ts"
import { blobs, firstSlot, makeBenchChain, makeBenchPool, seed } from "./BenchChain.ts"

/*
 * Peers that send every column of every block to the node at an address, each a copy of its own, in the first second and
 * a half of the slot, or of the share of it that a shorter slot has. Arguments: milliseconds of a slot, the genesis time in
 * Unix seconds, slots, peers, the address.
 */
const Arguments = Schema.Tuple(
  Schema.NumberFromString,
  Schema.NumberFromString,
  Schema.NumberFromString,
  Schema.NumberFromString,
  Schema.String
)

const program = Effect.gen(function* () {
  const [slotMs, genesisTime, slots, peers, address] = yield* Schema.decodeUnknown(Arguments)(process.argv.slice(2))
  const chain = makeBenchChain(yield* makeBenchPool, slotMs, genesisTime)
  const topics = Array.from({ length: numberOfColumns }, (_, column) =>
    columnTopic({ forkDigest: forkDigestOfSlot(chain.parameters, firstSlot), column })
  )
  const nodes = yield* Effect.forEach(Array.from({ length: peers }), (_, index) =>
    Effect.gen(function* () {
      const node = yield* makeNode({
        agent: `sender/${index}`,
        gossip: { mostBytes: () => 2 ** 20, copied: () => {} }
      })
      yield* Effect.promise(() => node.dial(multiaddr(address)))
      for (const topic of topics) node.services.gossip.subscribe(topic)
      return node
    })
  )
  // Until they know what it is on, what they publish goes to nobody.
  const areReady = Effect.sync(() =>
    nodes.every(({ services }) => topics.every((topic) => services.gossip.getSubscribers(topic).length > 0))
  )
  yield* areReady.pipe(
    Effect.repeat({ until: (areReady) => areReady, schedule: Schedule.spaced("100 millis") }),
    Effect.timeoutFail({
      duration: "30 seconds",
      onTimeout: () => "the node is not on all topics of its columns, or not for all senders"
    })
  )
  yield* Console.log("ready")
  const random = makeRandom(seed)
  const spreadMs = Math.min(1500, slotMs / 2)
  for (let slot = firstSlot; slot < firstSlot + slots; slot++) {
    const block = chain.blockAt(slot)
    const sidecars =
      block === undefined
        ? []
        : topics.map((_, column) => encodeSidecar(block.fork, sidecarOf(chain.pool, block, column)))
    if (block !== undefined && block.blobs.length !== blobs) return yield* Effect.fail("a block has too few blobs")
    const starts = slotStart(chain.parameters, slot)
    yield* Effect.forEach(
      nodes.flatMap((node) => sidecars.map((data, column) => ({ node, data, topic: topics[column] ?? "" }))),
      ({ data, node, topic }) =>
        Effect.delay(
          Effect.promise(() => node.services.gossip.publish(topic, data)),
          Math.max(0, starts - Date.now() + random() * spreadMs)
        ),
      { concurrency: "unbounded", discard: true }
    )
  }
  yield* Effect.sleep("30 seconds")
}).pipe(Effect.scoped)

NodeRuntime.runMain(program)
