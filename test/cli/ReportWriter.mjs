// Records probes without end into the history at argv[2]: a monitor at work. Prints a line for each.
import { setTimeout } from "node:timers/promises"
import { Effect, Option } from "effect"
import { History } from "../../dist/history/store/History.js"
import { layer } from "../../dist/history/store/SqliteHistory.js"

const [, , path] = process.argv

const network = {
  network: "devnet, or so",
  genesisTime: Math.floor(Date.now() / 1000) - 86_400,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  retentionEpochs: 4096
}

const probe = (n) => {
  const now = Date.now()
  const slot = 1000 + (n % 100)
  const common = { slot, blockRoot: `0x${slot}`, blobs: 1 }
  return {
    id: `p${n}`,
    purpose: "sampling",
    job: { peerId: `peer-${n % 2}`, startSlot: slot, count: 1, columns: [1, 2] },
    startedAt: now,
    finishedAt: now,
    timings: { open: 1, firstByte: 2, total: 3 },
    requests: 1,
    bytes: 100,
    recovered: 0,
    outcomes: [
      { ...common, column: 1, outcome: "success" },
      n % 2 === 0
        ? { ...common, column: 2, outcome: "success" }
        : { ...common, column: 2, outcome: "missing", reason: 'no "column" 2,\nat all' }
    ],
    findings: []
  }
}

const run = Effect.gen(function* () {
  const history = yield* History
  yield* history.recordPeer("peer-0", {
    agent: Option.some("Lighthouse/v8.0.0-abc/x86_64-linux"),
    address: Option.none(),
    at: Date.now()
  })
  yield* history.recordPeer("peer-1", {
    agent: Option.some("Prysm/v6.1.2/abc"),
    address: Option.none(),
    at: Date.now()
  })
  for (let n = 0; ; n++) {
    yield* history.recordProbe(probe(n), "answered", { owed: 1000, tested: Math.min(1000, n), failed: 0 })
    yield* history.flush
    process.stdout.write(`${n}\n`)
    yield* Effect.promise(() => setTimeout(20))
  }
})

await Effect.runPromise(Effect.provide(run, layer({ path, network })))
