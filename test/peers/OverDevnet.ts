import { Duration, Effect, Either, Layer } from "effect"
import * as ChainCommitments from "../../src/chain/ChainCommitments.ts"
import { defaultConfig } from "../../src/config/Config.ts"
import { peersOptions, samplerOptions } from "../../src/ConfiguredParts.ts"
import { type Devnet, makeDevnet } from "../../src/devnet/Devnet.ts"
import type { ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { parsePeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { layer as standalone } from "../../src/host/Standalone.ts"
import * as InlineVerifier from "../../src/kzg/InlineVerifier.ts"
import { type PeersOptions, Peers } from "../../src/peers/Peers.ts"
import { Bandwidth } from "../../src/probe/Bandwidth.ts"
import { Prober } from "../../src/probe/Prober.ts"
import { ProbeTotals } from "../../src/probe/ProbeTotals.ts"
import { ProbeWorkers } from "../../src/probe/ProbeWorkers.ts"
import { SelfDoubt } from "../../src/probe/SelfDoubt.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import { Sampler } from "../../src/sampler/Sampler.ts"

/** Each peer of the devnet with its profile, and the address that its ENR tells. */
export const peersOf = (devnet: Devnet) =>
  Effect.forEach(devnet.peers, ({ enr, peerId, profile }) =>
    Effect.map(enr, (text) => ({ peerId, profile, address: Either.getOrThrow(parsePeerAddress(text)) }))
  )

/** The supervisor over real sockets; it probes by itself no more often than once in an hour. */
export const watching = (devnet: Devnet, over: Partial<PeersOptions> = {}) =>
  Layer.unwrapScoped(
    Effect.map(peersOf(devnet), (all) => {
      const config = { ...defaultConfig, testInterval: Duration.hours(1), peerRefreshInterval: Duration.seconds(2) }
      const options = { ...peersOptions(config), addresses: all.map(({ address }) => address), ...over }
      return Peers.layer(options).pipe(
        Layer.provide([Sampler.layer(samplerOptions(config)), Prober.layer, ProbeWorkers.layer(4)]),
        Layer.provide([LoopLag.layer, SelfDoubt.layer(config), InlineVerifier.layerInline]),
        Layer.provideMerge(ChainCommitments.layer({ window: Duration.days(1), mode: "background" })),
        Layer.provideMerge(
          Layer.mergeAll(
            MemoryHistory.layer,
            MemoryEventBus.layer(),
            MemoryEvidence.layer(),
            ProbeTotals.layer,
            Bandwidth.layer(Infinity),
            Daemons.layer
          )
        ),
        Layer.provideMerge(standalone({ url: devnet.beaconApi, version: "test" }))
      )
    })
  )

export const start = (peers: ReadonlyArray<ProfileName>, seed: number) =>
  makeDevnet({ peers, seed, slotDuration: Duration.millis(500), blobs: 2 })

export const view = (peerId: string) =>
  Effect.flatMap(Peers, (peers) => Effect.map(peers.view(peerId), (one) => one).pipe(Effect.orDie))
