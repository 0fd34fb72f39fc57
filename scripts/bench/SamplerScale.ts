import { Effect } from "effect"
import { makeYielder } from "../../src/runtime/YieldNow.ts"
import { type Bench, makeRandom, quantile, rounded, type Table } from "./Bench.ts"
import { combinationsOf, everySlot, makeSimulatedPeer, type SimulatedPeer, windowSlots } from "./SimulatedPeer.ts"

/** Choosing among 131,072 slots for 10,000 peers: time, memory, and whether anything is asked for twice. */
export const sampler: Bench = {
  name: "sampler",
  description: "time to choose a job, memory of all coverage, redundancy and packing",
  run: ({ quick }) =>
    Effect.gen(function* () {
      // The first thousands of calls measure the compiler.
      yield* packingTable(4_096)
      const scale = yield* scaleTable(quick ? [490, 10] : [9_800, 200])
      return [scale, yield* packingTable(quick ? 16_384 : windowSlots)]
    })
}

const scaleTable = Effect.fnUntraced(function* ([regular, supernodes]: readonly [number, number]) {
  const yieldIfDue = makeYielder(20)
  const before = memory()
  const peers: Array<SimulatedPeer> = []
  const random = makeRandom(1)
  for (let index = 0; index < regular + supernodes; index++) {
    peers.push(makeSimulatedPeer(index < regular ? 8 : 128, random))
  }
  const untouched = memory() - before
  let times = new Float64Array(1 << 16)
  let jobs = 0
  let owed = 0
  let tested = 0
  for (const [index, peer] of peers.entries()) {
    yield* yieldIfDue
    const combinations = peer.coverage.columns.length * windowSlots
    let own = 0
    while (own < combinations / 10) {
      const start = performance.now()
      const job = peer.next()
      if (jobs === times.length) times = doubled(times)
      times[jobs++] = (performance.now() - start) * 1000
      if (job === undefined) return yield* Effect.dieMessage(`nothing to ask of peer ${index}`)
      peer.coverage.add(combinationsOf(job), index * 1000)
      own += job.count * job.columns.length
      if (jobs % 64 === 0) yield* yieldIfDue
    }
    owed += combinations
    tested += own
  }
  const used = memory() - before
  const measured = times.subarray(0, jobs)
  const scaled = (bytes: number): number => (bytes / (regular + supernodes)) * 10_000
  const counts = peers.map(({ coverage }) => coverage.count({ start: 0, end: windowSlots - 1 }, everySlot).tested)
  const distinct = counts.reduce((sum, one) => sum + one, 0)
  const rows: Table["rows"] = [
    ["peers", `${regular} with 8 columns, ${supernodes} with 128`, "", true],
    ["combinations owed, tested", `${owed}, ${tested} (${rounded((tested / owed) * 100, 1)} %)`, "", true],
    ["redundancy (tested / distinct)", rounded(tested / distinct, 4), "1.00", tested === distinct],
    ["choosing a job, median", `${rounded(quantile(measured, 0.5), 1)} µs`, "", true],
    [
      "choosing a job, 99th percentile",
      `${rounded(quantile(measured, 0.99), 1)} µs`,
      "< 200 µs",
      quantile(measured, 0.99) < 200
    ],
    ["coverage of 10,000 peers, nothing tested", `${Math.round(scaled(untouched) / 2 ** 20)} MiB`, "", true],
    [
      "coverage of 10,000 peers, a tenth tested",
      `${Math.round(scaled(used) / 2 ** 20)} MiB`,
      "< 1024 MiB",
      scaled(used) < 2 ** 30
    ]
  ]
  return { title: "Sampler at scale", columns: ["", "measured", "goal", "met"], rows }
})

/** One peer from nothing to everything, some of its answers cut short. */
const packingTable = Effect.fnUntraced(function* (slots: number) {
  const yieldIfDue = makeYielder(20)
  const rows: Array<Table["rows"][number]> = []
  for (const columns of [8, 128]) {
    for (const truncated of [0, 0.2]) {
      const random = makeRandom(columns + 10 * truncated)
      const peer = makeSimulatedPeer(columns, random, slots)
      const owed = columns * slots
      const times: Array<number> = []
      let requests = 0
      let tested = 0
      let distinct = 0
      while (distinct < owed) {
        yield* yieldIfDue
        const start = performance.now()
        const job = peer.next()
        times.push((performance.now() - start) * 1000)
        if (job === undefined) return yield* Effect.dieMessage("nothing to ask")
        const all = [...combinationsOf(job)]
        const came = random() < truncated ? all.slice(0, Math.ceil(all.length * random())) : all
        peer.coverage.add(came, 1000)
        requests++
        tested += came.length
        if (tested >= owed) distinct = peer.coverage.count({ start: 0, end: slots - 1 }, everySlot).tested
      }
      const stalest: Array<number> = []
      for (let again = 0; again < 2_000; again++) {
        yield* yieldIfDue
        const start = performance.now()
        const job = peer.next()
        stalest.push((performance.now() - start) * 1000)
        if (job !== undefined) peer.coverage.add(combinationsOf(job), 2000 + again * 1000)
      }
      const least = Math.ceil(owed / Math.min(512, 32 * columns))
      const p99 = quantile(times, 0.99)
      rows.push([
        columns,
        `${truncated * 100} %`,
        requests,
        least,
        rounded(requests / least),
        rounded(tested / distinct, 4),
        `${rounded(p99, 1)} µs`,
        `${rounded(quantile(stalest, 0.99), 1)} µs`,
        tested === distinct && Math.max(p99, quantile(stalest, 0.99)) < 200
      ])
    }
  }
  return {
    title: `One peer from nothing to everything, ${slots} slots`,
    columns: [
      "columns",
      "answers cut short",
      "requests",
      "least",
      "ratio",
      "redundancy (goal 1.00)",
      "choosing, p99 (goal < 200 µs)",
      "when all is covered",
      "met"
    ],
    rows
  }
})

const memory = (): number => {
  globalThis.gc?.()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const doubled = (values: Float64Array): Float64Array<ArrayBuffer> => {
  const larger = new Float64Array(values.length * 2)
  larger.set(values)
  return larger
}
