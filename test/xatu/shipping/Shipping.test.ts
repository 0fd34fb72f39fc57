import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Option } from "effect"
import * as Metrics from "../../../src/domain/metrics/Metrics.ts"
import { makeFakeDasmon, peerOf } from "../../http/FakeDasmon.ts"
import {
  eventsOf,
  outcomeOf,
  peerA,
  peerB,
  probeOfSlots,
  root,
  selfSigned,
  slotsOf,
  startXatu,
  tempFolder,
  xatuConfig
} from "../Fixture.ts"
import { startGrpc, startHttp } from "./XatuServer.ts"
import { eventually } from "../../Eventually.ts"

const count = (counter: typeof Metrics.xatuSent) => Effect.map(Metric.value(counter), ({ count }) => count)

const range = (start: number, length: number): ReadonlyArray<number> =>
  Array.from({ length }, (_, index) => start + index)

const certificate = selfSigned()

for (const { name, scheme, start } of [
  { name: "gRPC", scheme: "grpc", start: startGrpc },
  { name: "HTTP", scheme: "http", start: startHttp }
]) {
  describe(`Xatu over ${name}`, () => {
    const address = (port: number, tls = false) => `${scheme}${tls ? "s://localhost" : "://127.0.0.1"}:${port}`

    it.scopedLive("ships every field of a probe", () =>
      Effect.gen(function* () {
        const server = yield* start()
        const fake = yield* makeFakeDasmon()
        yield* startXatu(fake, xatuConfig({ address: address(server.port), name: "north/1" }), yield* tempFolder)
        const { probe } = {
          probe: {
            ...probeOfSlots(0, 0),
            // Slot 8,333,333.33 of the test network: 4 s into the slot, 21 slots into its epoch.
            startedAt: 1_700_000_000_000,
            finishedAt: 1_700_000_009_345,
            timings: { open: 3, firstByte: 20, total: 9_345 },
            outcomes: [
              outcomeOf({ slot: 8_000_000, column: 0 }),
              outcomeOf({ slot: 8_000_031, column: 127, outcome: "timeout", reason: "no answer within 9345 ms (body)" })
            ]
          }
        }
        yield* fake.publish({ _tag: "Sampling", probe, conversation: "answered", coverage: null })
        yield* eventually(() => eventsOf(server).length === 2)
        const [first, second] = eventsOf(server)
        const slotStart = (slot: number) => String(1_600_000_000 + slot * 12)
        const period = (number: number, slot: number) => ({
          number: { value: String(number) },
          start_date_time: { seconds: slotStart(slot) }
        })
        assert.match(first?.event.id ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        assert.notStrictEqual(first?.event.id, second?.event.id)
        assert.strictEqual(first?.meta.client.id, second?.meta.client.id)
        assert.deepStrictEqual(
          { ...first, event: { ...first?.event, id: "" }, meta: { client: { ...first?.meta.client, id: "" } } },
          {
            event: {
              name: "LIBP2P_TRACE_RPC_DATA_COLUMN_CUSTODY_PROBE",
              date_time: { seconds: "1700000009", nanos: 345_000_000 },
              id: ""
            },
            meta: {
              client: {
                name: "north/1",
                version: "1.2.3",
                id: "",
                implementation: "dasmon",
                os: process.platform,
                ethereum: { network: { name: "test" } },
                libp2p_trace_rpc_data_column_custody_probe: {
                  metadata: { peer_id: { value: peerA } },
                  epoch: period(250_000, 8_000_000),
                  slot: period(8_000_000, 8_000_000),
                  wallclock_epoch: period(260_416, 8_333_312),
                  wallclock_slot: period(8_333_333, 8_333_333)
                }
              }
            },
            libp2p_trace_rpc_data_column_custody_probe: {
              job_start_timestamp: { seconds: "1700000000" },
              peer_id: { value: peerA },
              slot: { value: 8_000_000 },
              slot_start_date_time: { value: slotStart(8_000_000) },
              epoch: { value: 250_000 },
              epoch_start_date_time: { value: slotStart(8_000_000) },
              wallclock_request_slot: { value: 8_333_333 },
              wallclock_request_slot_start_date_time: { value: slotStart(8_333_333) },
              wallclock_request_epoch: { value: 260_416 },
              wallclock_request_epoch_start_date_time: { value: slotStart(8_333_312) },
              // Column 0 is there, and its value is the default.
              column_index: {},
              column_rows_count: { value: 6 },
              beacon_block_root: { value: root },
              result: { value: "success" },
              response_time_ms: { value: "9345" }
            }
          }
        )
        assert.deepInclude(second?.libp2p_trace_rpc_data_column_custody_probe, {
          epoch: { value: 250_000 },
          epoch_start_date_time: { value: slotStart(8_000_000) },
          column_index: { value: 127 },
          column_rows_count: {},
          result: { value: "failure" },
          error: { value: "timeout: no answer within 9345 ms (body)" },
          response_time_ms: { value: "9345" }
        })
      })
    )

    it.scopedLive("names peers: connections, heartbeats, and what they claim", () =>
      Effect.gen(function* () {
        const server = yield* start()
        const fake = yield* makeFakeDasmon()
        yield* fake.setPeers([peerOf(peerB, { agent: null }), peerOf(peerA, { connected: false })])
        yield* startXatu(fake, xatuConfig({ address: address(server.port), network: "hoodi" }), yield* tempFolder)
        yield* fake.publish({
          _tag: "NodeTracking",
          peerId: peerA,
          change: "connected",
          detail: "",
          peer: peerOf(peerA)
        })
        const claim = {
          custodyGroupCount: 8,
          source: "metadata",
          columns: [1],
          earliestAvailableSlot: 0,
          headSlot: 320,
          finalized: null,
          forkDigest: "0x01020304",
          sequenceNumber: 5,
          observedAt: 1_700_000_001_002
        } as const
        yield* fake.publish({ _tag: "CustodyUpdate", peerId: peerA, claim, previous: null, findings: [] })
        // A peer that speaks neither Status v2 nor MetaData, and one that is known better while it is connected.
        const old = { ...claim, source: "default", earliestAvailableSlot: null, sequenceNumber: null } as const
        yield* fake.publish({ _tag: "CustodyUpdate", peerId: peerB, claim: old, previous: null, findings: [] })
        yield* fake.publish({ _tag: "NodeTracking", peerId: peerB, change: "verdict", detail: "", peer: peerOf(peerB) })
        yield* eventually(() => eventsOf(server).length === 8)
        const events = eventsOf(server)
        assert.deepStrictEqual(
          events.map(({ event, meta: { client } }) => {
            const about =
              client.libp2p_trace_connected ??
              client.libp2p_trace_handle_metadata ??
              client.libp2p_trace_handle_status ??
              client.libp2p_trace_synthetic_heartbeat
            return [event.name.slice("LIBP2P_TRACE_".length), about?.metadata.peer_id.value]
          }),
          [
            ["CONNECTED", peerB],
            ["SYNTHETIC_HEARTBEAT", peerB],
            ["CONNECTED", peerA],
            ["SYNTHETIC_HEARTBEAT", peerA],
            ["HANDLE_STATUS", peerA],
            ["HANDLE_METADATA", peerA],
            ["HANDLE_STATUS", peerB],
            ["SYNTHETIC_HEARTBEAT", peerB]
          ]
        )
        assert.deepStrictEqual(events[0]?.meta.client.ethereum, { network: { name: "hoodi", id: "560048" } })
        const known = {
          remote_peer: { value: peerA },
          remote_maddrs: { value: "/ip4/127.0.0.1/tcp/9000" },
          agent_version: { value: "Lighthouse/v8.0.0/x86_64-linux" }
        }
        const at = { seconds: "1700000000", nanos: 1_000_000 }
        assert.deepStrictEqual(events[2]?.libp2p_trace_connected, { ...known, opened: at })
        assert.deepStrictEqual(events[3]?.libp2p_trace_synthetic_heartbeat, {
          ...known,
          timestamp: at,
          connection_age_ns: {}
        })
        assert.isUndefined(events[1]?.libp2p_trace_synthetic_heartbeat?.["agent_version"])
        assert.deepStrictEqual(events[7]?.libp2p_trace_synthetic_heartbeat?.["agent_version"], known.agent_version)
        assert.deepStrictEqual(events[4]?.event.date_time, { seconds: "1700000001", nanos: 2_000_000 })
        assert.deepStrictEqual(events[4]?.libp2p_trace_handle_status, {
          peer_id: { value: peerA },
          protocol_id: { value: "/eth2/beacon_chain/req/status/2/ssz_snappy" },
          response: {
            fork_digest: { value: "0x01020304" },
            head_slot: { value: "320" },
            earliest_available_slot: {}
          },
          direction: { value: "outbound" }
        })
        assert.deepStrictEqual(events[5]?.libp2p_trace_handle_metadata, {
          peer_id: { value: peerA },
          protocol_id: { value: "/eth2/beacon_chain/req/metadata/3/ssz_snappy" },
          metadata: { seq_number: { value: "5" }, custody_group_count: { value: "8" } },
          direction: { value: "outbound" }
        })
        assert.deepStrictEqual(events[6]?.libp2p_trace_handle_status?.["response"], {
          fork_digest: { value: "0x01020304" },
          head_slot: { value: "320" }
        })
      })
    )

    it.scopedLive("drops the one bad event of many", () =>
      Effect.gen(function* () {
        const server = yield* start()
        server.complaint = (event) =>
          event.libp2p_trace_rpc_data_column_custody_probe?.slot.value === 1_077 ? "failed to process" : undefined
        const refused = yield* count(Metrics.xatuRefused)
        const fake = yield* makeFakeDasmon()
        yield* startXatu(fake, xatuConfig({ address: address(server.port), batchSize: 200 }), yield* tempFolder)
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(1_000, 200),
          conversation: "answered",
          coverage: null
        })
        yield* eventually(() => slotsOf(server).length === 199)
        assert.sameMembers([...slotsOf(server)], [...range(1_000, 77), ...range(1_078, 122)])
        // Two requests for each halving, and not one for each event.
        assert.isAtMost(server.requests.length, 30)
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(5_000, 3),
          conversation: "answered",
          coverage: null
        })
        yield* eventually(() => slotsOf(server).length === 202)
        yield* eventually(Effect.map(count(Metrics.xatuRefused), (count) => count > refused))
        assert.strictEqual(yield* count(Metrics.xatuRefused), refused + 1)
      })
    )

    it.scopedLive("drops bad events that are everywhere, once it is clear that they are bad", () =>
      Effect.gen(function* () {
        const server = yield* start()
        server.complaint = (event) =>
          Number(event.libp2p_trace_rpc_data_column_custody_probe?.slot.value) % 4 === 0 ? "no" : undefined
        const fake = yield* makeFakeDasmon()
        yield* startXatu(fake, xatuConfig({ address: address(server.port), batchSize: 64 }), yield* tempFolder)
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(1_000, 64),
          conversation: "answered",
          coverage: null
        })
        yield* eventually(() => slotsOf(server).length === 48)
        assert.isTrue(slotsOf(server).every((slot) => slot % 4 !== 0))
      })
    )

    it.scopedLive("keeps everything while the server blames us for a trouble of its own", () =>
      Effect.gen(function* () {
        const server = yield* start()
        server.mood = "sink fails"
        const refused = yield* count(Metrics.xatuRefused)
        const fake = yield* makeFakeDasmon()
        yield* startXatu(fake, xatuConfig({ address: address(server.port), batchSize: 4 }), yield* tempFolder)
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(1_000, 10),
          conversation: "answered",
          coverage: null
        })
        yield* eventually(() => server.requests.length > 60)
        server.mood = "takes"
        yield* eventually(() => slotsOf(server).length === 10)
        assert.sameMembers([...slotsOf(server)], [...range(1_000, 10)])
        assert.strictEqual(yield* count(Metrics.xatuRefused), refused)
      })
    )

    for (const mood of ["unavailable", "busy"] as const) {
      it.scopedLive(`tries again while the server is ${mood}`, () =>
        Effect.gen(function* () {
          const server = yield* start()
          server.mood = mood
          const fake = yield* makeFakeDasmon()
          yield* startXatu(fake, xatuConfig({ address: address(server.port) }), yield* tempFolder)
          yield* fake.publish({
            _tag: "Sampling",
            probe: probeOfSlots(1_000, 5),
            conversation: "answered",
            coverage: null
          })
          yield* eventually(() => server.requests.length >= 3)
          server.mood = "takes"
          yield* eventually(() => slotsOf(server).length === 5)
        })
      )
    }

    it.scopedLive("logs in", () =>
      Effect.gen(function* () {
        const server = yield* start({ credentials: "me:pa:ss" })
        const fake = yield* makeFakeDasmon()
        const wrong = yield* startXatu(
          fake,
          xatuConfig({ address: address(server.port), username: "me", password: "no" }),
          yield* tempFolder
        )
        yield* fake.publish({ _tag: "Sampling", probe: probeOfSlots(1, 1), conversation: "answered", coverage: null })
        yield* eventually(() => server.requests.length >= 2)
        assert.deepStrictEqual(server.batches, [])
        yield* wrong.close
        const config = { username: "me", password: "pa:ss", headers: { "X-Scope": "lab" } }
        yield* startXatu(fake, xatuConfig({ address: address(server.port), ...config }), yield* tempFolder)
        yield* fake.publish({ _tag: "Sampling", probe: probeOfSlots(2, 1), conversation: "answered", coverage: null })
        yield* eventually(() => slotsOf(server).length === 1)
        assert.strictEqual(server.batches[0]?.headers["x-scope"], "lab")
      })
    )

    it.scopedLive.skipIf(Option.isNone(certificate))("speaks TLS, and only to whom it trusts", () =>
      Effect.gen(function* () {
        const tls = Option.getOrThrow(certificate)
        const server = yield* start({ tls })
        const fake = yield* makeFakeDasmon()
        const folder = yield* tempFolder
        const caFile = join(folder, "ca.pem")
        writeFileSync(caFile, tls.cert)
        const stranger = yield* startXatu(fake, xatuConfig({ address: address(server.port, true) }), yield* tempFolder)
        yield* startXatu(fake, xatuConfig({ address: address(server.port, true), caFile }), join(folder, "spill"))
        yield* fake.publish({ _tag: "Sampling", probe: probeOfSlots(7, 2), conversation: "answered", coverage: null })
        yield* eventually(() => slotsOf(server).length === 2)
        yield* stranger.close
        assert.deepStrictEqual(slotsOf(server), [7, 8])
      })
    )

    it.scopedLive("keeps on disk what the memory has no room for, and sends all when the server is back", () =>
      Effect.gen(function* () {
        const folder = yield* tempFolder
        const gone = yield* Effect.scoped(Effect.map(start(), ({ port }) => port))
        const fake = yield* makeFakeDasmon()
        const dropped = yield* count(Metrics.xatuDropped)
        const config = xatuConfig({ address: address(gone), batchSize: 50 }, { queue: 100 })
        const first = yield* startXatu(fake, config, folder)
        for (const slot of range(0, 50))
          yield* fake.publish({
            _tag: "Sampling",
            probe: probeOfSlots(1_000 + slot * 20, 20),
            conversation: "answered",
            coverage: null
          })
        yield* eventually(() => readdirSync(folder).length >= 10)
        // The program ends, another begins: what was in memory and what was being sent is there too.
        yield* first.close
        yield* startXatu(fake, config, folder)
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(9_000, 1),
          conversation: "answered",
          coverage: null
        })
        const server = yield* start({ port: gone })
        yield* eventually(() => slotsOf(server).length >= 1_001)
        assert.deepStrictEqual(slotsOf(server), [...range(1_000, 1_000), 9_000])
        assert.strictEqual(new Set(eventsOf(server).map(({ event }) => event.id)).size, 1_001)
        yield* eventually(() => readdirSync(folder).length === 0)
        assert.strictEqual(yield* count(Metrics.xatuDropped), dropped)
      })
    )

    it.scopedLive("sends at the end what has no time to become a batch", () =>
      Effect.gen(function* () {
        const server = yield* start()
        const folder = yield* tempFolder
        const fake = yield* makeFakeDasmon()
        const running = yield* startXatu(
          fake,
          xatuConfig({ address: address(server.port), flushInterval: "5m" }),
          folder
        )
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(1_000, 3),
          conversation: "answered",
          coverage: null
        })
        yield* running.close
        assert.deepStrictEqual(slotsOf(server), range(1_000, 3))
        assert.deepStrictEqual(readdirSync(folder), [])
      })
    )
  })
}

describe("the start of shipping", () => {
  it.scopedLive("fails with the key of what cannot be used", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const folder = yield* tempFolder
      const file = join(folder, "file")
      writeFileSync(file, "")
      const noFolder = yield* Effect.flip(startXatu(fake, xatuConfig({ address: "a:1" }), file))
      assert.include(noFolder.message, `xatu: the folder ${file} cannot be used (xatu.spill_folder)`)
      const noCa = xatuConfig({ address: "grpcs://a:1", caFile: join(folder, "none") })
      assert.include((yield* Effect.flip(startXatu(fake, noCa, folder))).message, "(xatu.ca_file)")
    })
  )

  it.scopedLive("counts what came too fast", () =>
    Effect.gen(function* () {
      const server = yield* startGrpc()
      const fake = yield* makeFakeDasmon(4)
      const missed = yield* count(Metrics.xatuMissed)
      yield* startXatu(fake, xatuConfig({ address: `127.0.0.1:${server.port}` }), yield* tempFolder)
      for (const slot of range(1, 20)) {
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(slot, 1),
          conversation: "answered",
          coverage: null
        })
      }
      yield* eventually(() => slotsOf(server).includes(20))
      assert.strictEqual((yield* count(Metrics.xatuMissed)) - missed, 20 - slotsOf(server).length)
    })
  )
})

describe("what waits on disk", () => {
  it.scopedLive("never takes more than its limit: the oldest go", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const gone = yield* Effect.scoped(Effect.map(startGrpc(), ({ port }) => port))
      const fake = yield* makeFakeDasmon()
      const dropped = yield* count(Metrics.xatuDropped)
      const limit = 64 / 1024
      const config = xatuConfig({ address: `127.0.0.1:${gone}`, batchSize: 50 }, { queue: 100, spillLimitMib: limit })
      const first = yield* startXatu(fake, config, folder)
      for (const slot of range(0, 50))
        yield* fake.publish({
          _tag: "Sampling",
          probe: probeOfSlots(1_000 + slot * 20, 20),
          conversation: "answered",
          coverage: null
        })
      yield* eventually(() => readdirSync(folder).length > 0)
      yield* first.close
      const used = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
      const lost = (yield* count(Metrics.xatuDropped)) - dropped
      assert.isAbove(lost, 500)
      // What was being sent is kept beside it.
      assert.isAtMost(used, limit * 2 ** 20 + 50 * 800)
      const server = yield* startGrpc({ port: gone })
      yield* startXatu(fake, config, folder)
      yield* eventually(() => slotsOf(server).length === 1_000 - lost)
      // What was being sent comes first, then all of the newest.
      const slots = slotsOf(server)
      const newest = slots.slice(70)
      assert.isAbove(newest.length, 40)
      assert.deepStrictEqual(newest, range(2_000 - newest.length, newest.length))
      assert.isTrue(slots.every((slot, index) => index === 0 || slot > (slots[index - 1] ?? 0)))
    })
  )

  it.scopedLive("is read as far as it was written when the program was killed", () =>
    Effect.gen(function* () {
      const folder = yield* tempFolder
      const gone = yield* Effect.scoped(Effect.map(startGrpc(), ({ port }) => port))
      const fake = yield* makeFakeDasmon()
      const config = xatuConfig({ address: `127.0.0.1:${gone}` })
      const first = yield* startXatu(fake, config, folder)
      yield* fake.publish({
        _tag: "Sampling",
        probe: probeOfSlots(1_000, 10),
        conversation: "answered",
        coverage: null
      })
      yield* first.close
      const [name = ""] = readdirSync(folder)
      const path = join(folder, name)
      const whole = readFileSync(path)
      writeFileSync(path, whole.subarray(0, whole.length - 5))
      // And one of which only the name was written.
      writeFileSync(join(folder, "000000000099-7.events"), new Uint8Array(4096))
      writeFileSync(join(folder, "README"), "not ours")
      const server = yield* startGrpc({ port: gone })
      yield* startXatu(fake, config, folder)
      yield* eventually(() => slotsOf(server).length === 9 && readdirSync(folder).length === 1)
      assert.deepStrictEqual(slotsOf(server), range(1_000, 9))
    })
  )
})
