import "../../../src/wire/Polyfill.ts"
import { dirname } from "node:path"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger, Option, Schema } from "effect"
import { startClaims } from "../../../src/domain/peer/ClaimHistory.ts"
import { makeClaim } from "../../../src/domain/peer/ClaimParts.ts"
import { nodeIdOfPeerId } from "../../../src/domain/peer/NodeId.ts"
import { parsePeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import type { Job } from "../../../src/domain/probe/Job.ts"
import { Externs } from "../../../src/host/Externs.ts"
import { Host } from "../../../src/host/Host.ts"
import { Prober, type ProbeRequest } from "../../../src/probe/Prober.ts"
import { vitalsOf } from "../../crowd/Vitals.ts"
import { lateMs, loopDelay } from "../LoopDelay.ts"
import { allocation } from "./Allocation.ts"
import { type Look, LooksMeasured, LooksQuestion } from "./LooksMeasured.ts"
import { monitorLayers } from "./MonitorLayers.ts"
import { type CpuTimes, cpuTimes, threadsFolder } from "./CpuTimes.ts"
import { slotsOf, windowsFrom } from "./Windows.ts"

/*
 * The monitored program of `pipeline`, in a process of its own: probes as fast as it can, so many at once, and says what each
 * phase took. The argument is a `LooksQuestion`; prints a `LooksMeasured`, as one line.
 */

/** Twice what the program does at once if nothing else is configured: nothing paces these. */
const probesAtOnce = 8

type Known = Omit<ProbeRequest, "job" | "confirms" | "agent" | "remoteAddress">

/** Connects to a peer and hears its claim. */
const meet = (enr: string) =>
  Effect.gen(function* () {
    const host = yield* Host
    const { peerRefresh } = yield* Externs
    const address = yield* parsePeerAddress(enr)
    const nodeId = yield* nodeIdOfPeerId(address.peerId)
    yield* host.connect(address)
    const claim = makeClaim({ nodeId, ...(yield* peerRefresh(address)) })
    return { address, nodeId, claims: startClaims(claim) } satisfies Known
  })

/** Carries out all jobs and measures what that takes of this process. */
const look = (jobs: ReadonlyArray<Job>, peers: ReadonlyMap<string, Known>, threads: string) =>
  Effect.gen(function* () {
    const prober = yield* Prober
    const counted = { columns: 0, cells: 0, receivedBytes: 0 }
    const otherwise: Record<string, number> = {}
    const delay = loopDelay()
    const before = cpuTimes(threads)
    const endAllocation = allocation()
    const begin = performance.now()
    delay.enable()
    yield* Effect.forEach(
      jobs,
      (job) =>
        Effect.gen(function* () {
          const known = peers.get(job.peerId)
          if (known === undefined) return yield* Effect.dieMessage(`nobody has met ${job.peerId}`)
          const { probe } = yield* prober.probe({
            ...known,
            job,
            confirms: [],
            agent: Option.none(),
            remoteAddress: Option.none()
          })
          counted.receivedBytes += probe.bytes
          for (const { blobs, outcome } of probe.outcomes) {
            if (outcome === "success") {
              counted.columns++
              counted.cells += blobs
            } else otherwise[outcome] = (otherwise[outcome] ?? 0) + 1
          }
        }),
      { concurrency: probesAtOnce, discard: true }
    )
    delay.disable()
    const seconds = (performance.now() - begin) / 1e3
    const allocated = endAllocation()
    const measured: Look = {
      ...counted,
      otherwise,
      seconds,
      cpu: since(before, cpuTimes(threads)),
      allocated,
      delayP99Ms: lateMs(delay.percentile(99)),
      rssMiB: vitalsOf(process.pid).rssMiB
    }
    return measured
  })

const since = (before: CpuTimes, after: CpuTimes): CpuTimes => ({
  mainMs: after.mainMs - before.mainMs,
  verifierMs: after.verifierMs - before.verifierMs,
  otherMs: after.otherMs - before.otherMs,
  processMs: after.processMs - before.processMs
})

const monitoring = Effect.gen(function* () {
  const question = yield* Schema.decode(LooksQuestion)(process.argv[2] ?? "")
  const threads = process.env[threadsFolder] ?? ""
  const measured = yield* Effect.gen(function* () {
    const met = yield* Effect.forEach(question.peers, meet, { concurrency: 4 })
    const peers = new Map(met.map((known) => [known.address.peerId, known]))
    const withColumns = met.map(({ address, claims }) => ({
      peerId: address.peerId,
      columns: claims.current.columns
    }))
    const supernodes = withColumns.filter(({ columns }) => columns.length === 128)
    const custodians = withColumns.filter(({ columns }) => columns.length === 8)
    const from = (start: number, windows: number) => windowsFrom(start, windows, supernodes, custodians)
    yield* look(
      from(question.firstSlot, question.warmUp).flatMap(({ first, second }) => [first, second]),
      peers,
      threads
    )
    const jobs = from(question.firstSlot + slotsOf(question.warmUp), question.windows)
    const first = yield* look(
      jobs.map(({ first }) => first),
      peers,
      threads
    )
    const second = yield* look(
      jobs.map(({ second }) => second),
      peers,
      threads
    )
    const { peakMiB } = vitalsOf(process.pid)
    return { supernodes: supernodes.length, custodians: custodians.length, first, second, peakMiB }
  }).pipe(Effect.provide(monitorLayers(question.beaconApi, dirname(threads))))
  yield* Console.log(yield* Schema.encode(LooksMeasured)(measured))
}).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))))

NodeRuntime.runMain(monitoring, { disablePrettyLogger: true })
