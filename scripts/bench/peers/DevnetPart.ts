import { NodeRuntime } from "@effect/platform-node"
import { Duration } from "effect"
import { runDevnet } from "../../../src/devnet/RunDevnet.ts"
import type { ProfileName } from "../../../src/devnet/profiles/Profiles.ts"

/** The arguments of this script: `count` peers, from the place `firstPeer` on, of the network that `genesisTime` names. */
const [genesisTime, firstPeer, count] = process.argv.slice(2).map(Number)
if (genesisTime === undefined || firstPeer === undefined || count === undefined) {
  throw new Error("DevnetPart <genesis time in Unix seconds> <first peer> <number of peers>")
}

/** One in twenty keeps all columns, as about on mainnet. */
const profileAt = (place: number): ProfileName => (place % 20 === 0 ? "supernode" : "honest")

NodeRuntime.runMain(
  runDevnet({
    seed: 41,
    genesisTime,
    slotDuration: Duration.seconds(12),
    firstPeer,
    peers: Array.from({ length: count }, (_, index) => profileAt(firstPeer + index))
  })
)
