import { NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Schema } from "effect"
import { DevnetError } from "../../../src/devnet/DevnetError.ts"
import { parsePeersSpec } from "../../../src/devnet/PeersSpec.ts"
import { runDevnet } from "../../../src/devnet/RunDevnet.ts"

/*
 * Some peers of a devnet whose every block has so many blobs, over TCP alone. Arguments: blobs, the genesis time in Unix
 * seconds, the place of the first peer, and the peers as the command line has them.
 */
const Arguments = Schema.Tuple(Schema.NumberFromString, Schema.NumberFromString, Schema.NumberFromString, Schema.String)

const program = Effect.gen(function* () {
  const [blobs, genesisTime, firstPeer, spec] = yield* Schema.decodeUnknown(Arguments)(process.argv.slice(2)).pipe(
    Effect.mapError(({ message }) => new DevnetError({ reason: message }))
  )
  const peers = yield* parsePeersSpec(spec)
  return yield* runDevnet({
    seed: 43,
    genesisTime,
    slotDuration: Duration.seconds(12),
    transports: "tcp",
    blobs,
    firstPeer,
    peers
  })
})

NodeRuntime.runMain(program)
