import { Duration, Effect, Layer, Logger, LogLevel, Random, Stream } from "effect"
import * as ChainCommitments from "../../../src/chain/ChainCommitments.ts"
import { type ChainParameters, slotAt } from "../../../src/domain/network/Chain.ts"
import { PeerDisconnected } from "../../../src/domain/probe/Outcome.ts"
import { EventBus } from "../../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../../src/events/MemoryEventBus.ts"
import * as MemoryEvidence from "../../../src/evidence/MemoryEvidence.ts"
import * as MemoryHistory from "../../../src/history/store/MemoryHistory.ts"
import { Peers } from "../../../src/peers/Peers.ts"
import { Bandwidth } from "../../../src/probe/Bandwidth.ts"
import { ProbeTotals } from "../../../src/probe/ProbeTotals.ts"
import { ProbeWorkers } from "../../../src/probe/ProbeWorkers.ts"
import { SelfDoubt } from "../../../src/probe/SelfDoubt.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { Doubts } from "../../../src/runtime/Doubts.ts"
import { LoopLag } from "../../../src/runtime/LoopLag.ts"
import { makeBeaconNode, type NodeTrouble } from "./BeaconNode.ts"
import { chance } from "./Chance.ts"
import { confirmAfter, peersOptions, samplerOptions } from "./Defaults.ts"
import type { Member } from "./Member.ts"
import { makeObserver, type Observed } from "./Observer.ts"
import { makePeer, type SimulatedPeer } from "./Peer.ts"
import { proberUnder, type Rules, samplerUnder } from "./Rules.ts"
import { makeSimulatedHost } from "./SimulatedHost.ts"
import { makeTrueChain } from "./TrueChain.ts"
import { makeVirtualTime } from "./VirtualTime.ts"

export interface FleetOptions {
  readonly seed: number
  readonly members: ReadonlyArray<Member>
  readonly hours: number
  /** Between two conversations with one peer. */
  readonly testInterval: Duration.Duration
  /** How long columns are kept. */
  readonly retentionEpochs: number
  readonly rules: Rules
  /** What goes wrong at our own beacon node, by the moment and the slot at which the simulation begins. */
  readonly troubles?: (startedAt: number, slot: number) => ReadonlyArray<NodeTrouble>
  /** Hours between which nothing is finalized. */
  readonly stalledHours?: readonly [number, number]
}

/** The monitor, as it is but for its sockets, watches this fleet for so many hours; gives what it came to. */
export const runFleet = (options: FleetOptions): Effect.Effect<ReadonlyArray<Observed>> =>
  Effect.suspend(() => {
    const { hours, members, retentionEpochs, rules, seed, testInterval } = options
    const parameters = network(retentionEpochs)
    const firstSlot = 64 * parameters.slotsPerEpoch
    const startSlot = firstSlot + (retentionEpochs + 2) * parameters.slotsPerEpoch + (seed % 32)
    const startedAt = startSlot * parameters.slotDurationMs
    const time = makeVirtualTime(startedAt)
    const [stalledFrom, stalledUntil] = options.stalledHours ?? [Infinity, Infinity]
    const truth = makeTrueChain({
      seed,
      parameters,
      firstSlot,
      now: time.now,
      stalled: { from: startedAt + stalledFrom * hourMs, until: startedAt + stalledUntil * hourMs }
    })
    truth.growTo(slotAt(parameters, startedAt))
    const peers = new Map<string, SimulatedPeer>()
    const observer = makeObserver(truth, startedAt, Duration.toMillis(testInterval))
    for (const [index, member] of members.entries()) {
      const peer = makePeer({
        seed: Math.floor(chance(seed, index, 3) * 2 ** 31),
        chain: truth,
        startedAt,
        firstSlot,
        family: families[index % families.length] ?? "",
        conducts: member.conducts
      })
      const { peerId } = peer.address
      observer.add(peerId, member, peer)
      // A liar that was found out has nothing more to show.
      const isAway: SimulatedPeer["isAway"] = (at) => (observer.isFoundOut(peerId) ? gone : peer.isAway(at))
      peers.set(peerId, { ...peer, isAway })
    }

    const watch = Effect.gen(function* () {
      const host = yield* makeSimulatedHost(truth, peers)
      const externs = yield* makeBeaconNode(truth, options.troubles?.(startedAt, startSlot) ?? [], ({ peerId }) =>
        host.refresh(peerId)
      )
      const engine = Peers.layer(peersOptions(testInterval)).pipe(
        Layer.provide([
          samplerUnder(rules, samplerOptions),
          proberUnder(rules, observer.hear),
          ProbeWorkers.layer(workers)
        ]),
        Layer.provide(SelfDoubt.layer({ confirmAfter })),
        Layer.provideMerge(
          Layer.mergeAll(
            ProbeTotals.layer,
            Bandwidth.layer(Infinity),
            LoopLag.layerNone,
            MemoryHistory.layer,
            MemoryEventBus.layer({ capacity: 16 }),
            MemoryEvidence.layer(),
            ChainCommitments.layer({ window: samplerOptions.historyWindow, mode: "background", pause: "100 millis" })
          )
        ),
        Layer.provide([externs, host.layer, Daemons.layer, Doubts.layer])
      )
      yield* Effect.provide(
        Effect.gen(function* () {
          const monitor = yield* Peers
          const bus = yield* EventBus
          yield* Effect.forkScoped(
            Stream.runForEach(yield* bus.subscribe, (event) => Effect.sync(() => observer.told(event)))
          )
          for (const [index, { address }] of [...peers.values()].entries()) {
            // Each has its own chance, so that what one does changes nothing for another.
            yield* monitor.track(address).pipe(Effect.withRandom(Random.make(`${seed} ${index}`)))
            yield* Effect.sleep(Duration.toMillis(testInterval) / peers.size)
          }
          yield* Effect.sleep(Duration.hours(hours))
          yield* observer.end(monitor.views())
        }),
        engine
      )
    }).pipe(Effect.scoped)
    const quiet = watch.pipe(Effect.withRandom(Random.make(seed)), Logger.withMinimumLogLevel(LogLevel.None))
    return Effect.map(time.run(quiet), observer.all)
  })

/** Steps of the blob schedule, so that old sidecars carry another fork digest than new ones. */
const network = (retentionEpochs: number): ChainParameters => ({
  network: "simulated",
  genesisTime: 0,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  forks: [
    { name: "electra", version: Uint8Array.of(5, 0, 0, 1), epoch: 0 },
    { name: "fulu", version: Uint8Array.of(6, 0, 0, 1), epoch: 0 },
    { name: "gloas", version: Uint8Array.of(7, 0, 0, 1), epoch: 0 }
  ],
  blobSchedule: [
    { epoch: 0, maxBlobsPerBlock: 9 },
    { epoch: 64 + Math.floor(retentionEpochs / 2), maxBlobsPerBlock: 15 }
  ],
  maxBlobsPerBlockElectra: 9,
  retentionEpochs
})

const families = ["Lighthouse", "Prysm", "teku", "nimbus", "Lodestar", "Grandine"]
const gone = new PeerDisconnected({ stage: "dial", detail: "connection refused" })
const workers = 16
const hourMs = 3_600_000
