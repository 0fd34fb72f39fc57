import { Clock, Duration, Effect, ExecutionStrategy, Scope } from "effect"
import { type ChainParameters, epochOf, numberOfColumns, slotAt } from "../domain/network/Chain.ts"
import type { ApiHabit } from "./api/ApiHabit.ts"
import { serveBeaconApi } from "./api/BeaconApi.ts"
import { makeBlobPool } from "./chain/BlobPool.ts"
import type { Reorg } from "./chain/ChainState.ts"
import { type DevChain, makeDevChain } from "./chain/DevChain.ts"
import { partialBlocks } from "./chain/PartialBlocks.ts"
import { DevnetError } from "./DevnetError.ts"
import { devnetParameters } from "./DevnetParameters.ts"
import { type DevDiscv5, makeDevDiscv5 } from "./discv5/DevDiscv5.ts"
import { devEnr } from "./discv5/DevEnr.ts"
import { type DevPeer, makeDevPeer } from "./peer/DevPeer.ts"
import type { TransportChoice } from "./peer/DevTransports.ts"
import { identityOf } from "./peer/DevPeerIdentity.ts"
import { defaultPeers, type PeersSpec } from "./PeersSpec.ts"

import { profiles } from "./profiles/Profiles.ts"

export interface DevnetOptions {
  /** `defaultPeers` if left out. */
  readonly peers?: PeersSpec
  /** On which transports its peers listen; `mixed` if left out: some on both, some on one. */
  readonly transports?: TransportChoice
  /** Port of the Beacon API on 127.0.0.1; any that is free if left out or 0. */
  readonly apiPort?: number
  /** How its Beacon API behaves; by the book if left out. */
  readonly api?: ApiHabit
  /** Whole milliseconds, 100 ms to 1 min; 2 s if left out. */
  readonly slotDuration?: Duration.Duration
  /** A whole number: makes the same chain, keys and misbehaviour again. 1 if left out. */
  readonly seed?: number
  /**
   * Epochs that have passed since genesis at the start, 3 to 256; 8 if left out. The first is not of Fulu, and the last
   * two are not final.
   */
  readonly historyEpochs?: number
  /**
   * Unix seconds, instead of as many epochs ago as `historyEpochs` says: two devnets of one seed and one genesis tell of
   * one chain as long as neither is reorganised, so that a network can have more peers than one process bears.
   */
  readonly genesisTime?: number
  /** Of the first of its peers, whose identity follows from it; 0 if left out. */
  readonly firstPeer?: number
  /**
   * Of every block, as far as the limit of its slot goes, 1 to 72: from epoch 3 on that is as many, or more. Any number from 0 up
   * to the limit, which is 12 then, if left out.
   */
  readonly blobs?: number
  /**
   * The columns that were published of the blocks of some slots, by slot, also of slots of the past: nobody has the others.
   * Profiles may add slots from the start on. Such a slot has a block with blobs. The first slot of the start is
   * `32 * historyEpochs`, or the one after it.
   */
  readonly partial?: ReadonlyMap<number, ReadonlyArray<number>>
  /** Epochs from the start on after which the blob limit, and the fork digest with it, steps again; 0, never, if left out. */
  readonly nextBlobStep?: number
  /** Epochs from the start on after which Gloas begins; 0, never, if left out. Then some profiles cannot misbehave as they do. */
  readonly nextFork?: number
}

/** A network that runs until its scope closes. */
export interface Devnet {
  readonly beaconApi: string
  readonly parameters: ChainParameters
  readonly chain: DevChain
  /** In the order of the options. */
  readonly peers: ReadonlyArray<DevPeer>
  /** The ENR of the node by which discv5 finds all others. */
  readonly bootEnr: Effect.Effect<string>
  /** Replaces the blocks of the last `depth` slots. Fails where that would undo finality. */
  readonly reorg: (depth: number) => Effect.Effect<Reorg, DevnetError>
}

/** Starts a network on 127.0.0.1: its chain, its peers and its Beacon API. Takes 2 to 8 seconds, most of them for KZG. */
export const makeDevnet = (options: DevnetOptions = {}): Effect.Effect<Devnet, DevnetError, Scope.Scope> =>
  Effect.gen(function* () {
    const {
      api,
      apiPort,
      blobs,
      firstPeer,
      historyEpochs,
      nextBlobStep,
      nextFork,
      partial: given,
      peers: spec,
      seed,
      slotDuration,
      transports
    } = yield* checked(options)
    const slotDurationMs = Duration.toMillis(slotDuration)
    const now = yield* Clock.currentTimeMillis
    const genesisTime = options.genesisTime ?? Math.floor((now - historyEpochs * 32 * slotDurationMs) / 1000)
    const after = (epochs: number) => (epochs === 0 ? undefined : historyEpochs + epochs)
    const next = { blobStep: after(nextBlobStep), gloas: after(nextFork) }
    const parameters = devnetParameters(seed, slotDurationMs, genesisTime, next, blobs)
    const limits = parameters.blobSchedule.map(({ maxBlobsPerBlock }) => maxBlobsPerBlock)
    const pool = yield* makeBlobPool(seed, Math.max(parameters.maxBlobsPerBlockElectra, ...limits))
    const series = [...new Set(spec)].flatMap((name) => profiles[name].partial ?? [])
    const partial = partialBlocks({ seed, start: slotAt(parameters, now), series, given })
    const chain = yield* makeDevChain({ parameters, pool, seed, blobs, partial })
    const discv5 = yield* makeDevDiscv5(parameters)
    const bootEnr = yield* startBootNode(chain, discv5)
    const peers = yield* startPeers(chain, spec, transports, firstPeer, discv5)
    yield* discv5.introduce
    const beaconApi = yield* serveBeaconApi(
      chain,
      {
        version: "dasmon-devnet",
        identity: yield* beaconNodeIdentity(chain),
        peers: Effect.forEach(peers, ({ enr, multiaddr, peerId }) =>
          Effect.map(enr, (enr) => ({ peerId, enr, multiaddr }))
        ),
        accounts: Effect.forEach(peers, ({ account, peerId, profile }) =>
          Effect.map(account, (account) => ({ profile, peerId, ...account }))
        )
      },
      apiPort,
      api
    )
    return { beaconApi, parameters, chain, peers, bootEnr, reorg: chain.reorg }
  })

/** All peers stop at the same time, so that many take no longer than one. */
const startPeers = (
  chain: DevChain,
  spec: PeersSpec,
  transports: TransportChoice,
  firstPeer: number,
  discv5: DevDiscv5
): Effect.Effect<ReadonlyArray<DevPeer>, DevnetError, Scope.Scope> =>
  Effect.gen(function* () {
    const all = yield* Effect.acquireRelease(Scope.make(ExecutionStrategy.parallel), (scope, exit) =>
      Scope.close(scope, exit)
    )
    return yield* Effect.forEach(
      spec,
      (name, index) =>
        Effect.flatMap(Scope.fork(all, ExecutionStrategy.sequential), (own) =>
          Scope.extend(makeDevPeer(chain, name, firstPeer + index, transports, discv5), own)
        ),
      { concurrency: 4 }
    )
  })

/** It speaks nothing but discv5. */
const startBootNode = (chain: DevChain, discv5: DevDiscv5) =>
  discv5.join(identityOf(chain.seed, "boot node").privateKey, withoutPorts(chain))

/** The node of the Beacon API has an identity, and does not listen. */
const beaconNodeIdentity = (chain: DevChain) =>
  Effect.map(withoutPorts(chain), (parts) => {
    const { peerId, privateKey } = identityOf(chain.seed, "beacon node")
    return { peerId, enr: devEnr(chain.parameters, privateKey, parts).encodeTxt() }
  })

/** What the ENR of a node says that does not listen. */
const withoutPorts = ({ parameters }: DevChain) =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    ports: {},
    epoch: epochOf(parameters, slotAt(parameters, now)),
    custodyGroupCount: 4
  }))

type Checked = Required<Omit<DevnetOptions, "blobs" | "genesisTime">> & Pick<DevnetOptions, "blobs">

/** The first slot whose block has columns. */
const firstFuluSlot = 32

const checked = (options: DevnetOptions): Effect.Effect<Checked, DevnetError> => {
  const all = {
    peers: defaultPeers,
    api: "plain" as const,
    transports: "mixed" as const,
    apiPort: 0,
    slotDuration: Duration.seconds(2),
    seed: 1,
    historyEpochs: 8,
    nextBlobStep: 0,
    firstPeer: 0,
    nextFork: 0,
    partial: new Map<number, ReadonlyArray<number>>(),
    ...options
  }
  const ranges = [
    ["the slot duration in milliseconds", Duration.toMillis(all.slotDuration), 100, 60_000],
    ["the number of epochs of history", all.historyEpochs, 3, 256],
    ["the number of epochs until the blob limit steps again", all.nextBlobStep, 0, 256],
    ["the number of blobs of a block", all.blobs ?? 1, 1, 72],
    ["the place of the first peer", all.firstPeer, 0, 1_000_000],
    ["the number of epochs until Gloas begins", all.nextFork, 0, 256],
    ["the port", all.apiPort, 0, 65_535],
    ["the seed", all.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]
  ] as const
  const partial = [...all.partial].flatMap(([slot, columns]) => [
    ["a slot whose block is partial", slot, firstFuluSlot, Number.MAX_SAFE_INTEGER] as const,
    ...columns.map((column) => ["a column", column, 0, numberOfColumns - 1] as const)
  ])
  const wrong = [...ranges, ...partial].find(
    ([, value, min, max]) => !Number.isInteger(value) || value < min || value > max
  )
  return wrong === undefined
    ? Effect.succeed(all)
    : new DevnetError({ reason: `${wrong[0]} is ${wrong[1]}, allowed is ${wrong[2]} to ${wrong[3]}` })
}
