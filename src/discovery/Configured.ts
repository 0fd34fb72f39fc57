import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Context, Effect, Either, Layer, Option, Stream } from "effect"
import { type Config, identityFileOf } from "../config/Config.ts"
import { udpEndpointOf } from "../config/DiscoveryConfig.ts"
import { BeaconNodes } from "../host/BeaconNodes.ts"
import { Externs, type ExternsError } from "../host/Externs.ts"
import { toExternsError } from "../host/beacon-api/BeaconFailure.ts"
import { Host } from "../host/Host.ts"
import { type IdentityError, loadIdentity } from "../host/libp2p/HostIdentity.ts"
import { ownMetadata } from "../host/libp2p/OwnMetadata.ts"
import { makeYielder } from "../runtime/YieldNow.ts"
import { Discovery, merged, type NodeFound } from "./Discovery.ts"
import { makeDiscv5 } from "./discv5/Discv5Node.ts"
import type { Discv5Error } from "../wire/discv5/UdpSockets.ts"
import { readNode } from "./ReadNode.ts"
import { OwnRecord, unpublished } from "./record/OwnRecord.ts"
import { recordFileOf } from "./record/RecordFile.ts"
import { beaconPeers } from "./sources/BeaconPeers.ts"
import { enrFile } from "./sources/EnrFile.ts"
import { GivenPeers, makeGivenPeers } from "./sources/GivenPeers.ts"

export interface ConfiguredOptions {
  /** ENRs of nodes by which discv5 finds others; without any it is not started. */
  readonly bootEnrs: ReadonlyArray<string>
  /** What our ENR says; that of a node that keeps nothing if left out. */
  readonly custodyGroupCount?: number | undefined
}

/** Every source of peers that a configuration names, as one. The host is the node of the configuration's identity. */
export const layer = (
  config: Config,
  options: ConfiguredOptions
): Layer.Layer<Discovery | OwnRecord | GivenPeers, Discv5Error | IdentityError | ExternsError, Externs | Host> =>
  Layer.scopedContext(make(config, options)).pipe(Layer.provide([NodeHttpClient.layerUndici, NodeFileSystem.layer]))

const make = Effect.fn("Discovery.configured")(function* (config: Config, options: ConfiguredOptions) {
  const given = yield* makeGivenPeers
  const discv5 = yield* startDiscv5(config, options)
  const sources = [
    configuredPeers(config),
    given.found,
    ...(yield* fileSource(config)),
    ...(yield* beaconSource(config)),
    ...Option.toArray(Option.map(discv5, ({ found }) => found))
  ]
  return Context.empty().pipe(
    Context.add(Discovery, Discovery.of(merged(sources.map((found) => ({ found }))))),
    Context.add(GivenPeers, given),
    Context.add(OwnRecord, Option.match(discv5, { onNone: () => unpublished, onSome: ({ record }) => record }))
  )
})

/** Those that the configuration names. */
export const configuredPeers = ({ dasProviders, peers }: Config): Stream.Stream<NodeFound> =>
  Stream.suspend(() => {
    const yieldIfDue = makeYielder(5)
    return Stream.mapEffect(
      Stream.fromIterable([...peers, ...dasProviders]),
      ({ enrCustodyGroupCount, multiaddrs, peerId, text }) =>
        // Each signature that is checked for the sequence number costs a millisecond.
        Effect.map(yieldIfDue, (): NodeFound => ({
          ...Either.getOrElse(readNode(text, "config"), () => ({})),
          address: { peerId, multiaddrs, enrCustodyGroupCount },
          source: "config"
        }))
    )
  })

const fileSource = ({ discovery }: Config) =>
  Effect.map(FileSystem.FileSystem, (fs) =>
    discovery.enrFile === undefined
      ? []
      : [Stream.provideService(enrFile(discovery.enrFile), FileSystem.FileSystem, fs)]
  )

const beaconSource = Effect.fnUntraced(function* ({ beaconApi = [], discovery }: Config) {
  const states = yield* BeaconNodes
  const interval = discovery.beaconPeersInterval
  return yield* Effect.forEach(discovery.beaconPeers ? beaconApi : [], (url, place) => {
    const isOurs = Effect.map(states, (nodes) => nodes[place]?.condition !== "other_network")
    return Effect.mapError(beaconPeers({ url, interval, isOurs }), toExternsError)
  })
})

const startDiscv5 = Effect.fnUntraced(function* (config: Config, { bootEnrs, custodyGroupCount }: ConfiguredOptions) {
  const { discovery } = config
  if (!discovery.discv5) return Option.none()
  if (bootEnrs.length === 0) {
    yield* Effect.logDebug("discv5 is not started: no boot node of this network is known")
    return Option.none()
  }
  const { chain } = yield* Externs
  const { multiaddrs } = yield* Host
  const identityFile = identityFileOf(config)
  const node = yield* makeDiscv5({
    chain,
    privateKey: yield* loadIdentity(identityFile),
    custodyGroupCount: custodyGroupCount ?? ownMetadata.custodyGroupCount,
    listen: discovery.listenAddresses.flatMap((text) => udpEndpointOf(text) ?? []),
    listening: multiaddrs,
    bootEnrs,
    external: discovery.externalAddresses,
    advertise: discovery.advertise,
    recordFile: recordFileOf(identityFile)
  })
  return Option.some(node)
})
