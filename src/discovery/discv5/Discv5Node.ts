import { secp256k1 } from "@noble/curves/secp256k1.js"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import {
  Array,
  Clock,
  Duration,
  Effect,
  Either,
  FiberHandle,
  type Option,
  Random,
  Schedule,
  type Scope,
  type Stream,
  SubscriptionRef
} from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { type ChainParameters, epochOf, epochStart, slotAt, slotStart } from "../../domain/network/Chain.ts"
import { nextDigestEpoch } from "../../domain/network/EnrForkId.ts"
import { nodeIdOfPublicKey } from "../../domain/peer/NodeId.ts"
import { decodeNodeRecord } from "../../domain/peer/NodeRecord.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { changeEnr, makeEnr } from "../../wire/discv5/ChangeableEnr.ts"
import { emitterOf } from "../../wire/discv5/Emitter.ts"
import { makeSoundDiscv5 } from "../../wire/discv5/SoundDiscv5.ts"
import type { UdpEndpoint } from "../../wire/discv5/UdpEndpoint.ts"
import { bindUdp, Discv5Error } from "../../wire/discv5/UdpSockets.ts"
import { UdpTransport } from "../../wire/discv5/UdpTransport.ts"
import type { NodeFound } from "../Discovery.ts"
import { makeAddressVotes } from "../record/AddressVotes.ts"
import { endpointMultiaddr, ipText, reachMultiaddrs, reachOf } from "../record/OwnAddresses.ts"
import { type OwnRecordAccount, ownRecordOf, type OwnRecordState } from "../record/OwnRecord.ts"
import { firstSequence, keepRecord } from "../record/RecordFile.ts"
import { makeHeardRecords } from "./HeardRecords.ts"
import { enrEntries } from "./OwnEnr.ts"

export interface Discv5Options {
  readonly chain: ChainParameters
  /** 32 bytes, secp256k1: the key of our libp2p node. */
  readonly privateKey: Uint8Array
  /** `cgc`: what our metadata say. */
  readonly custodyGroupCount: number
  /** At most one of each family, and one at least; port 0 is any free one. */
  readonly listen: ReadonlyArray<UdpEndpoint>
  /** Multiaddrs at which our libp2p node listens. */
  readonly listening: ReadonlyArray<string>
  /**
   * ENRs of nodes to begin with, of whatever network they say that they are. Only where one of them is on this machine or
   * in a private net, others may be.
   */
  readonly bootEnrs: ReadonlyArray<string>
  /** See `Whereabouts`. */
  readonly external?: ReadonlyArray<string>
  readonly advertise?: ReadonlyArray<string> | undefined
  /** Keeps our ENR; without it the sequence number is only held against the clock. */
  readonly recordFile?: string | undefined
  /** Between two walks, but for the first few; 10 seconds if left out. */
  readonly walkInterval?: Duration.DurationInput
  /** How many must see us at an address before we advertise it; 5 if left out. */
  readonly votesNeeded?: number
}

/** A node of discv5 that looks for others of our network. */
export interface Discv5Node {
  /** Nodes of our network as it hears of them, those first that it knows; an older record never comes after a newer one. */
  readonly found: Stream.Stream<NodeFound>
  readonly record: OwnRecordAccount
  /** Where it listens. */
  readonly sockets: ReadonlyArray<UdpEndpoint>
  /** Looks for the node with this id (32 bytes); none if nobody knows it, or it is not of our network. Takes up to a minute. */
  readonly lookUp: (nodeId: Uint8Array) => Effect.Effect<Option.Option<NodeFound>>
  /** Nodes in its table. */
  readonly known: Effect.Effect<number>
}

/** Runs until the scope closes. */
export const makeDiscv5 = Effect.fn("Discv5Node.make")(function* (
  options: Discv5Options
): Effect.fn.Return<Discv5Node, Discv5Error, Scope.Scope> {
  const { chain, custodyGroupCount, privateKey } = options
  const clock = yield* Effect.clock
  const sockets = yield* Effect.forEach(options.listen, bindUdp)
  if (sockets.length === 0) return yield* new Discv5Error({ reason: "there is no address to listen on" })

  const votes = makeAddressVotes()
  const surely = options.votesNeeded ?? defaultVotesNeeded
  /** What follows of this moment. */
  const ownView = (now: number) => {
    const leaders = votes.leaders(now)
    const reach = reachOf({
      listening: options.listening,
      sockets,
      external: options.external ?? [],
      observed: leaders.filter(({ votes }) => votes >= surely),
      advertise: options.advertise
    })
    return { leaders, reach, entries: enrEntries({ chain, now, custodyGroupCount, reach }) }
  }

  const nodeId = nodeIdOfPublicKey(secp256k1.getPublicKey(privateKey))
  const path = options.recordFile
  const sequence = yield* Effect.provide(firstSequence(path, nodeId), NodeFileSystem.layer)
  const atStart = ownView(yield* Clock.currentTimeMillis)
  const enr = makeEnr(privateKey, atStart.entries, sequence)
  const stateOf = ({ leaders, reach }: ReturnType<typeof ownView>): OwnRecordState => ({
    enr: enr.encodeTxt(),
    sequence: enr.seq,
    advertised: reachMultiaddrs(reach),
    observed: leaders.map((leader) => ({ address: endpointMultiaddr(leader), votes: leader.votes }))
  })
  const keep =
    path === undefined
      ? Effect.void
      : Effect.provide(
          Effect.suspend(() => keepRecord(path, enr.encodeTxt())),
          NodeFileSystem.layer
        )
  yield* keep
  const state = yield* SubscriptionRef.make(stateOf(atStart))

  const node = makeSoundDiscv5(
    enr,
    privateKey,
    new UdpTransport(sockets, enr.nodeId, () => clock.unsafeCurrentTimeMillis())
  )
  const [unread, boots] = Array.separate(options.bootEnrs.map(readBoot))
  yield* Effect.forEach(unread, (trouble) => Effect.logWarning(trouble), { discard: true })
  const isNear = boots.some(({ scopes }) => scopes.includes("near"))
  const heard = yield* makeHeardRecords({ chain, clock, isNear })
  emitterOf(node).on("discovered", heard.hear).on("enrAdded", heard.hear)
  yield* Effect.acquireRelease(
    Effect.promise(async () => node.start()),
    () => Effect.promise(async () => node.stop())
  )
  for (const { enr } of boots) node.addEnr(enr)

  /** Asks whether they are there: they say where they see us, and what number their ENR has, and learn that of ours. */
  const ping = (some: ReturnType<typeof node.kadValues>) =>
    Effect.forEach(
      some,
      (one) =>
        Effect.tryPromise(async () => node.sendPing(one)).pipe(
          Effect.timeout(pingLimit),
          Effect.flatMap(({ addr }) =>
            Effect.map(Clock.currentTimeMillis, (now) =>
              votes.vote(one.nodeId, { host: ipText(addr.ip.octets), port: addr.port }, now)
            )
          ),
          Effect.zipRight(Effect.sync(() => heard.hear(node.getKadValue(one.nodeId) ?? one))),
          Effect.ignore
        ),
      { concurrency: pingsAtOnce, discard: true }
    )
  const announcing = yield* FiberHandle.make()
  /** Has our ENR, and what is told of it, say what is so now. */
  const settle = Effect.gen(function* () {
    const view = ownView(yield* Clock.currentTimeMillis)
    const isChanged = changeEnr(enr, view.entries)
    const now = stateOf(view)
    yield* SubscriptionRef.update(state, (before) => (isSame(before, now) ? before : now))
    if (!isChanged) return
    yield* keep
    yield* FiberHandle.run(announcing, ping(node.kadValues()))
  }).pipe((yield* Effect.makeSemaphore(1)).withPermits(1))

  const pingSome = Effect.flatMap(
    Effect.suspend(() => Random.shuffle(node.kadValues())),
    (all) => ping([...all].slice(0, pingsOfRound))
  )
  // Without anyone to ask, the library waits for its time limit.
  const isAlone = Effect.sync(() => node.kadValues().length === 0)
  const walk = Effect.promise(async () => node.findRandomNode()).pipe(
    Effect.timeoutOption(lookUpLimit),
    Effect.unlessEffect(isAlone)
  )
  yield* daemon(
    "the search for nodes by discv5",
    Effect.all([walk, pingSome, settle], { discard: true }),
    walkSchedule(Duration.decode(options.walkInterval ?? "10 seconds"))
  )
  yield* daemon("the keeping of our ENR", Effect.forever(Effect.zipRight(untilNextStep(chain), settle)))

  return {
    found: heard.found,
    record: ownRecordOf(state),
    sockets: sockets.map(({ host, port }) => ({ host, port })),
    lookUp: (nodeId) => {
      const id = toHex(nodeId).slice(2)
      return Effect.promise(async () => node.findNode(id)).pipe(
        Effect.timeoutOption(lookUpLimit),
        Effect.unlessEffect(isAlone),
        Effect.map(() => heard.get(id))
      )
    },
    known: Effect.sync(() => node.kadValues().length)
  }
})

const readBoot = (text: string) =>
  Either.mapLeft(decodeNodeRecord(text), ({ message }) => `a boot node is left out: ${message}: ${text.slice(0, 40)}…`)

/** The first walks, each of which brings one half of a small network at best, follow each other soon. */
const walkSchedule = (interval: Duration.Duration) =>
  Schedule.spaced(Duration.times(interval, 0.1)).pipe(
    Schedule.intersect(Schedule.recurs(firstWalks)),
    Schedule.andThen(Schedule.spaced(interval)),
    Schedule.jittered
  )

/** Until the fork digest changes: to the slot, and in steps, so that a clock that is set does no harm for long. */
const untilNextStep = (chain: ChainParameters): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const next = nextDigestEpoch(chain, epochOf(chain, slotAt(chain, now)))
    const left = next === undefined ? Infinity : slotStart(chain, epochStart(chain, next)) - now
    return Effect.sleep(Duration.millis(Math.min(Math.max(left, 1), longestStepMs)))
  })

const longestStepMs = 60_000
const defaultVotesNeeded = 5
const firstWalks = 6
const pingsOfRound = 4
const pingsAtOnce = 16
const pingLimit = Duration.seconds(10)
const lookUpLimit = Duration.seconds(70)

const isSame = (one: OwnRecordState, other: OwnRecordState): boolean =>
  one.enr === other.enr && JSON.stringify(one.observed) === JSON.stringify(other.observed)
