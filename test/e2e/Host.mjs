// A host without Effect's runtime: starts the monitor, reads a few events, closes it, and tells what is left.
import { Dasmon, makeConfig, startAsync } from "dasmon"
import { Standalone } from "dasmon/host"
import { Either, Layer } from "effect"

const [url, databasePath, peer] = process.argv.slice(2)
const config = Either.getOrThrow(makeConfig({ databasePath, testInterval: "200ms", peers: [peer] }))
const monitor = await startAsync(Dasmon.layer(config).pipe(Layer.provide(Standalone.layer({ url, version: "test" }))))
let probes = 0
for await (const event of monitor.events()) {
  if (event._tag === "Sampling" && ++probes === 3) break
}
const { peers } = await monitor.snapshot()
await monitor.close()
// Nothing may hold this process up but a timer of libp2p's that runs out within a second.
const closedAt = Date.now()
process.on("exit", () => {
  const verdicts = peers.map(({ verdict }) => verdict)
  process.stdout.write(
    JSON.stringify({ verdicts, heldUpMs: Date.now() - closedAt, left: process.getActiveResourcesInfo() })
  )
})
