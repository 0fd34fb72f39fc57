import { Effect, Option, Schema } from "effect"
import { numberOfColumns } from "../../../src/domain/network/Chain.ts"
import { digestTable } from "../../../src/domain/network/ForkDigest.ts"
import { sidecarBytes } from "../../../src/domain/column/Sidecar.ts"
import { parsePeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import { make as makeHost } from "../../../src/host/libp2p/Libp2pHost.ts"
import { answerSizes } from "../../../src/probe/AnswerSizes.ts"
import { makeHeldSidecars } from "../../../src/probe/HeldSidecars.ts"
import { requestColumns } from "../../../src/probe/RequestColumns.ts"
import { columnsByRange } from "../../../src/wire/Requests.ts"
import { type Bench, rounded, type Table } from "../Bench.ts"
import { firstLineOf } from "../FirstLine.ts"
import { lateMs, loopDelay } from "../LoopDelay.ts"
import { countAllocated } from "./Allocated.ts"
import { floorMs } from "./Floor.ts"
import { profiled, type Share } from "./Profile.ts"
import { ownThreadMs } from "../ThreadCpu.ts"
import { wireChain } from "./WireChain.ts"

/**
 * What a column costs the main thread from the socket to the list of what was delivered, and without its verification: a
 * host of our own asks supernodes in another process, over TCP, Noise and yamux, for eight slots of eight columns.
 */
export const wire: Bench = {
  name: "wire",
  description: "from the bytes of a TCP socket to delivered sidecars, in CPU of the main thread and in memory",
  run: ({ quick }) =>
    Effect.gen(function* () {
      const runs = yield* Effect.forEach([6, 21], (blobs) => measure(blobs, quick ? 20 : 80))
      return [tableOf(runs), ...runs.map(profileOf)]
    })
}

interface Run {
  readonly numbers: Numbers
  readonly byFunction: ReadonlyArray<Share>
  readonly byFile: ReadonlyArray<Share>
}

interface Numbers {
  readonly blobs: number
  readonly columns: number
  readonly mainMsPerColumn: number
  /** Of it, what a column cannot do without. */
  readonly floorMsPerColumn: number
  readonly processMsPerColumn: number
  readonly columnsPerSecond: number
  readonly allocatedPerByte: number
  readonly delayP99Ms: number
}

const peers = 4

const measure = (blobs: number, times: number): Effect.Effect<Run, unknown> =>
  Effect.gen(function* () {
    const line = yield* firstLineOf(new URL("./Supernode.js", import.meta.url), [`${blobs}`, `${peers}`], "30 seconds")
    const addresses = yield* Schema.decode(Schema.parseJson(Schema.Array(Schema.String)))(line)
    const host = yield* makeHost({ version: "bench", status: Effect.never, listen: [] })
    const network = { chain: wireChain, digests: digestTable(wireChain) }
    const ids = yield* Effect.forEach(addresses, (text) =>
      Effect.flatMap(parsePeerAddress(text), (address) => Effect.as(host.connect(address), address.peerId))
    )
    let columns = 0
    let bytes = 0
    const ask = (peerId: string, nth: number) =>
      Effect.gen(function* () {
        const start = (10 + (nth % 1_000)) * wireChain.slotsPerEpoch
        const range = { start, end: start + slots - 1 }
        const asked = { startSlot: start, count: slots, columns: columnsAsked }
        const sizes = answerSizes(wireChain, range, [], [])
        const expected = sizes.bytes(columnsAsked.length)
        const due = Array.from({ length: slots }, (_, index) => ({ slot: start + index, columns: columnsAsked }))
        const received = yield* requestColumns(
          { host, network, peerId, sizes, held: makeHeldSidecars(expected, expected) },
          columnsByRange(asked, sizes.byRange(range, columnsAsked.length)),
          { _tag: "ByRange", ...asked },
          due
        )
        if (Option.isSome(received.error)) return yield* received.error.value
        if (received.delivered.length !== slots * columnsAsked.length || received.findings.length > 0) {
          return yield* Effect.fail(`${received.delivered.length} columns came, ${JSON.stringify(received.findings)}`)
        }
        columns += received.delivered.length
        bytes += received.bytes
      })
    const askAll = (times: number) =>
      Effect.forEach(
        ids,
        (peerId, place) =>
          Effect.gen(function* () {
            for (let nth = 0; nth < times; nth++) yield* ask(peerId, place + nth * peers)
          }),
        { concurrency: "unbounded", discard: true }
      )
    yield* askAll(times)

    columns = 0
    bytes = 0
    const delay = loopDelay()
    delay.enable()
    const startedAt = performance.now()
    const mainBefore = ownThreadMs()
    const processBefore = process.cpuUsage()
    yield* askAll(times)
    const mainMs = ownThreadMs() - mainBefore
    const { system, user } = process.cpuUsage(processBefore)
    const seconds = (performance.now() - startedAt) / 1000
    delay.disable()
    const run = {
      blobs,
      columns,
      mainMsPerColumn: rounded(mainMs / columns, 4),
      floorMsPerColumn: rounded(floorMs(sidecarBytes("fulu", blobs)), 4),
      processMsPerColumn: rounded((user + system) / 1000 / columns, 4),
      columnsPerSecond: Math.round(columns / seconds),
      delayP99Ms: rounded(lateMs(delay.percentile(99)))
    }
    bytes = 0
    const allocated = countAllocated()
    yield* askAll(times / 2)
    const allocatedPerByte = rounded(allocated() / bytes)
    return { numbers: { ...run, allocatedPerByte }, ...(yield* profiled(askAll(times / 2))) }
  }).pipe(Effect.scoped)

const slots = 8
const columnsAsked = Array.from({ length: 8 }, (_, index) => (index * numberOfColumns) / 8)

const tableOf = (runs: ReadonlyArray<Run>): Table => ({
  title: "Of one column, without verification",
  columns: ["blobs", "columns", "main ms", "floor ms", "process ms", "columns/s", "allocated/byte", "delay p99 ms"],
  rows: runs.map(({ numbers: run }) => [
    run.blobs,
    run.columns,
    run.mainMsPerColumn,
    run.floorMsPerColumn,
    run.processMsPerColumn,
    run.columnsPerSecond,
    run.allocatedPerByte,
    run.delayP99Ms
  ]),
  summary: {
    mainMsPerColumn: runs[0]?.numbers.mainMsPerColumn,
    allocatedPerByte: runs[0]?.numbers.allocatedPerByte,
    bySize: runs.map(({ numbers }) => numbers)
  }
})

const profileOf = ({ byFile, byFunction, numbers }: Run): Table => ({
  title: `Where the main thread's time goes, ${numbers.blobs} blobs`,
  columns: ["function", "share", "file", "share"],
  rows: Array.from({ length: 24 }, (_, index) => [
    byFunction[index]?.name ?? "",
    rounded(byFunction[index]?.share ?? 0, 3),
    byFile[index]?.name ?? "",
    rounded(byFile[index]?.share ?? 0, 3)
  ])
})
