import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Context, Effect, Layer, Schedule, Schema, type Scope } from "effect"
import { Dasmon } from "../../src/Dasmon.ts"
import type { ChainParameters } from "../../src/domain/network/Chain.ts"
import type { EventBody } from "../../src/domain/Event.ts"
import { nothingKept } from "../../src/domain/custody/OwnCustodyState.ts"
import { noOutcomes } from "../../src/domain/probe/Outcome.ts"
import { custodyTotals, peerCounts } from "../../src/domain/peer/PeerTotals.ts"
import { noProgress } from "../../src/domain/peer/AuditProgress.ts"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import { makeEventStream } from "../../src/events/EventStream.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { Reports } from "../../src/history/report/Reports.ts"
import { HttpAddress, layer } from "../../src/http/server/Server.ts"
import { type Bench, rounded } from "./Bench.ts"
import { benchNetwork } from "./HistoryProbes.ts"

interface StreamLoad {
  readonly path: "/ws" | "/events" | `/ws?${string}` | `/events?${string}`
  readonly clients: number
  readonly eventsPerSecond: number
  readonly seconds: number
}

const ClientResult = Schema.Struct({
  delivered: Schema.Int,
  bytesRead: Schema.Int,
  /** Connections that ended. */
  closed: Schema.Int,
  p50Ms: Schema.Number,
  p99Ms: Schema.Number,
  maxMs: Schema.Number,
  cpuSeconds: Schema.Number
})

/**
 * So many clients of the event stream, in another process, while so many events are published: every other one a probe
 * of 10 combinations (2 KiB of JSON), the others a peer that changes (0.8 KiB). Latency is from the stamp of an event to
 * its last byte at the client.
 */
const streamLoad = ({ clients, eventsPerSecond, path, seconds }: StreamLoad) =>
  Effect.gen(function* () {
    const bus = yield* MemoryEventBus.make()
    const events = makeEventStream(bus)
    const dasmon = Layer.unwrapEffect(
      Effect.map(Reports, (reports) =>
        Layer.mock(Dasmon, {
          chain,
          reports,
          events,
          snapshot: Effect.succeed({ run: bus.run, sequence: 0, status, peers: [] })
        })
      )
    ).pipe(Layer.provide(Layer.mock(Reports, {})))
    const { port } = Context.get(
      yield* Layer.build(Layer.provide(layer({ host: "127.0.0.1", port: 0 }), dasmon)),
      HttpAddress
    )
    const { finish } = yield* startClients(port, path, clients)

    globalThis.gc?.()
    const rssBytesBefore = process.memoryUsage.rss()
    const cpuBefore = process.cpuUsage()
    const startedAt = performance.now()
    const total = eventsPerSecond * seconds
    let published = 0
    let rssBytesMost = 0
    yield* Effect.gen(function* () {
      const due = Math.min(total, ((performance.now() - startedAt) / 1000) * eventsPerSecond)
      while (published < due) yield* bus.publish(bodies[published++ % bodies.length] ?? peerChange)
      rssBytesMost = Math.max(rssBytesMost, process.memoryUsage.rss())
    }).pipe(Effect.repeat({ while: () => published < total, schedule: Schedule.spaced("5 millis") }))
    yield* Effect.sleep("2 seconds")
    const cpu = process.cpuUsage(cpuBefore)
    const result = yield* finish
    return {
      ...result,
      expected: total * clients,
      clientCpuSeconds: result.cpuSeconds,
      cpuSeconds: (cpu.system + cpu.user) / 1e6,
      userSeconds: cpu.user / 1e6,
      rssBytesBefore,
      rssBytesMost,
      rssBytesAfter: process.memoryUsage.rss()
    }
  }).pipe(Effect.scoped)

const startClients = (
  port: number,
  path: string,
  clients: number
): Effect.Effect<{ readonly finish: Effect.Effect<typeof ClientResult.Type, unknown> }, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const script = fileURLToPath(new URL("./StreamClients.js", import.meta.url))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [script, String(port), path, String(clients)], { stdio: ["pipe", "pipe", "inherit"] })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
    const line = (index: number) =>
      Effect.suspend(() => {
        const lines = output.split("\n")
        return lines.length > index + 1 ? Effect.succeed(lines[index] ?? "") : Effect.fail("nothing yet")
      }).pipe(Effect.retry(Schedule.spaced("20 millis")), Effect.timeout("60 seconds"))
    yield* line(0)
    return {
      finish: Effect.zipRight(
        Effect.sync(() => child.stdin.end()),
        Effect.flatMap(line(1), Schema.decode(Schema.parseJson(ClientResult)))
      )
    }
  })

const peerId = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"

const peer: PeerView = {
  peerId,
  nodeId: `0x${"ab".repeat(32)}`,
  agent: "Lighthouse/v8.0.0-rc.1/x86_64-linux",
  address: "/ip4/192.0.2.77/tcp/9000",
  transport: "tcp",
  connected: true,
  custody: { groupCount: 4, columns: [3, 17, 64, 127], earliestAvailableSlot: 12_345_678, source: "metadata" },
  subscribedColumns: null,
  headSlot: 12_345_678,
  outcomes: noOutcomes,
  findings: {},
  verdict: "compliant",
  suspicions: 0,
  failing: 0,
  recovered: 0,
  coverage: null,
  lastProbeAt: 1_700_000_000_000,
  lastFailure: null,
  isProvider: false,
  score: 0.5
}

const peerChange: EventBody = { _tag: "NodeTracking", peerId, change: "connected", detail: "Lighthouse/v8.0.0", peer }

const probe: EventBody = {
  _tag: "Sampling",
  probe: {
    id: "5f1c1f3e-8f0a-4a70-9f3e-0d2b6a1f0001",
    purpose: "sampling",
    job: { peerId, startSlot: 12_345_678, count: 10, columns: [17] },
    startedAt: 1_700_000_000_000,
    finishedAt: 1_700_000_000_120,
    timings: { open: 3, firstByte: 20, total: 120 },
    requests: 1,
    bytes: 654_321,
    recovered: 0,
    outcomes: Array.from({ length: 10 }, (_, index) => ({
      slot: 12_345_678 + index,
      column: 17,
      outcome: "success" as const,
      blockRoot: `0x${"cd".repeat(32)}`,
      blobs: 6
    })),
    findings: []
  },
  conversation: "answered",
  coverage: {
    owed: 524_288,
    tested: 1234,
    failed: 0,
    withheld: { low: 0, high: 0.0029, confidence: 0.95, method: "hypergeometric" },
    proven: { share: 1, low: 0.9971, high: 1, confidence: 0.95, method: "hypergeometric" }
  }
}

const chain: ChainParameters = {
  ...benchNetwork,
  forks: [{ name: "fulu", version: Uint8Array.of(6, 0, 0, 0), epoch: 0 }],
  blobSchedule: [],
  maxBlobsPerBlockElectra: 9
}

const bodies = [peerChange, probe]

const status = {
  network: "mainnet",
  simulated: false,
  headSlot: 12_345_678,
  beaconNodes: [],
  sequence: 0,
  uptimeSeconds: 12.5,
  peers: { ...peerCounts([]), passedOver: 0 },
  audit: noProgress,
  availability: { isOn: true, available: 0, unavailable: 0, undetermined: 0, passedOver: 0, last: null },
  probes: { started: 0, completed: 0, inFlight: 0 },
  bandwidth: { limit: null, bytesPerSecond: 0, waiting: 0 },
  outcomes: noOutcomes,
  custody: custodyTotals([]),
  commitments: { known: 200, wanted: 256, unknown: 0, oldest: 121 },
  backfill: { mode: "background", stage: "done", slotsPerSecond: 0, secondsLeft: null, stored: 192 },
  history: { state: "recording", reason: null, queued: 0 },
  ownRecord: null,
  evidence: { state: "keeping", reason: null, pieces: 0, bytes: 0, lost: 0 },
  ownCustody: nothingKept({ mode: "observe", custodyGroupCount: 4, columns: [] }),
  doubts: [],
  defects: 0
} as const

export const stream: Bench = {
  name: "stream",
  description: "the event stream to many clients: latency, CPU and memory",
  run: ({ quick }) =>
    Effect.gen(function* () {
      const rows: Array<ReadonlyArray<string | number>> = []
      const seconds = quick ? 3 : 20
      const sizes: ReadonlyArray<readonly [clients: number, eventsPerSecond: number]> = quick
        ? [[100, 1000]]
        : [
            [100, 1000],
            [500, 100],
            [500, 1000]
          ]
      for (const path of ["/ws", "/events", "/ws?types=NodeTracking"] as const) {
        for (const [clients, eventsPerSecond] of sizes) {
          const load = yield* streamLoad({ path, clients, eventsPerSecond, seconds })
          rows.push([
            path,
            clients,
            eventsPerSecond,
            load.delivered,
            rounded(load.bytesRead / seconds / 2 ** 20, 0),
            load.closed,
            load.p50Ms,
            load.p99Ms,
            load.maxMs,
            rounded((100 * load.cpuSeconds) / seconds, 0),
            rounded((100 * load.clientCpuSeconds) / seconds, 0),
            rounded((1e6 * load.cpuSeconds) / load.delivered, 2),
            rounded(load.rssBytesBefore / 2 ** 20, 0),
            rounded(load.rssBytesMost / 2 ** 20, 0)
          ])
        }
      }
      return [
        {
          title: "every other event a probe (2 KiB), the others a change of a peer (0.8 KiB)",
          columns: [
            "path",
            "clients",
            "events/s",
            "delivered",
            "MiB/s",
            "closed",
            "p50 ms",
            "p99 ms",
            "max ms",
            "server CPU %",
            "clients CPU %",
            "µs/message",
            "RSS before MiB",
            "RSS most MiB"
          ],
          rows
        }
      ]
    })
}
