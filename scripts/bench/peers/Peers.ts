import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { Clock, Console, Effect } from "effect"
import { linesOf } from "../../crowd/LogLines.ts"
import { type Bench, quantile, rounded } from "../Bench.ts"
import { unreachableRecords } from "./Unreachable.ts"
import { monitor } from "./Monitored.ts"
import { makeNetwork, type Network } from "./Network.ts"
import { probeGaps } from "./ProbeGaps.ts"

/** What many peers cost the built program: those that are connected and probed each minute, and those that are only known. */
export const peers: Bench = {
  name: "peers",
  description: "a thousand peers connected and probed each minute, and ten thousand known",
  run: ({ folder, quick }) =>
    Effect.gen(function* () {
      const sizes = quick
        ? { connected: 40, known: 500, perProcess: 20 }
        : { connected: 1_000, known: 10_000, perProcess: 200 }
      const network = yield* makeNetwork(sizes.connected, sizes.perProcess)
      const connected = yield* manyConnected(network, join(folder, "connected"), quick)
      yield* Console.log(JSON.stringify(connected))
      const reachable = network.peers.slice(0, 1).map(({ enr }) => enr)
      const records = reachable.flatMap((enr) => unreachableRecords(sizes.known - 1, enr))
      const few = yield* someKnown(network, join(folder, "few"), reachable, quick)
      const many = yield* someKnown(network, join(folder, "many"), [...reachable, ...records], quick)
      const knownMiB = rounded(many.liveMiB - few.liveMiB, 1)
      return [
        {
          title: "peers that are connected",
          columns: ["what", "value"],
          rows: Object.entries(connected),
          summary: { ...connected, known: sizes.known, knownMiB, knownResidentMiB: many.rssMiB - few.rssMiB }
        }
      ]
    }).pipe(Effect.scoped)
}

const manyConnected = (network: Network, folder: string, quick: boolean) =>
  Effect.gen(function* () {
    const all = network.peers.length
    mkdirSync(folder, { recursive: true })
    const watched = yield* monitor(
      folder,
      network.beaconApi,
      network.peers.map(({ enr }) => enr),
      [`target_peers: ${all}`, ...eachMinute]
    )
    const begin = yield* Clock.currentTimeMillis
    yield* watched.until(({ peers }) => peers.connected >= all, "15 minutes")
    const connectedIn = ((yield* Clock.currentTimeMillis) - begin) / 1000
    // Everyone has been probed once, and nobody is dialled any more.
    yield* Effect.sleep(quick ? "10 seconds" : "70 seconds")
    const first = yield* watched.look
    const from = yield* Clock.currentTimeMillis
    yield* Effect.sleep(quick ? "60 seconds" : "180 seconds")
    const last = yield* watched.look
    const until = yield* Clock.currentTimeMillis
    const { peers } = yield* watched.until(() => true, "1 minute")
    const { gaps, otherwise, probes, verified } = probeGaps(
      linesOf(watched.log),
      network.peers.map(({ peerId }) => peerId),
      from,
      until
    )
    return {
      peers: all,
      connected: peers.connected,
      connectedInSeconds: rounded(connectedIn, 0),
      peakMiB: last.peakMiB,
      rssMiB: last.rssMiB,
      liveMiB: rounded(last.liveMiB, 0),
      delayP50Ms: rounded(last.delayP50Ms, 1),
      delayP99Ms: rounded(last.delayP99Ms, 1),
      delayMaxMs: rounded(last.delayMaxMs, 0),
      coresUsed: rounded((last.cpuSeconds - first.cpuSeconds) / ((until - from) / 1000)),
      probes,
      verified,
      otherwise,
      gapMedianSeconds: rounded(quantile(gaps, 0.5), 1),
      gapP99Seconds: rounded(quantile(gaps, 0.99), 1),
      gapMaxSeconds: rounded(quantile(gaps, 1), 1)
    }
  }).pipe(Effect.scoped)

/** A turn of a peer comes up to a quarter later than its interval says. */
const eachMinute = ["test_interval: 45s", "peer_refresh_interval: 60s"]

const someKnown = (network: Network, folder: string, enrs: ReadonlyArray<string>, quick: boolean) =>
  Effect.gen(function* () {
    mkdirSync(folder, { recursive: true })
    const watched = yield* monitor(folder, network.beaconApi, enrs, ["target_peers: 1"])
    yield* watched.until(({ audit }) => audit.known >= enrs.length, "5 minutes")
    yield* Effect.sleep(quick ? "10 seconds" : "60 seconds")
    return yield* watched.look
  }).pipe(Effect.scoped)
