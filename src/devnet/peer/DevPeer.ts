import { Clock, Effect, type Scope } from "effect"
import { epochOf, slotAt } from "../../domain/network/Chain.ts"
import { listeningPorts } from "../../domain/peer/ListeningPorts.ts"
import { transportOf } from "../../domain/peer/Transport.ts"
import { goodbyeCodes } from "../../wire/Refusal.ts"
import { makeNode } from "../../wire/Node.ts"
import { agentAt } from "./Agents.ts"
import { serveBlocks } from "./BlockServer.ts"
import { serveColumns } from "./ColumnServer.ts"
import { makeConnections } from "./Connections.ts"
import { type Account, makeLedger } from "./Ledger.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { DevDiscv5 } from "../discv5/DevDiscv5.ts"
import { devEnr } from "../discv5/DevEnr.ts"
import { DevnetError } from "../DevnetError.ts"
import { gossipColumns, makeDevTopics } from "./DevGossip.ts"
import { makeTakenColumns } from "./TakenColumns.ts"
import { serveGreetings } from "./GreetingServer.ts"
import { identityOf } from "./DevPeerIdentity.ts"
import { listenOn, type TransportChoice, transportsAt } from "./DevTransports.ts"
import { honestConduct } from "../profiles/HonestConduct.ts"
import type { PeerClaim, PeerContext, Profile } from "../profiles/Profile.ts"
import { type ProfileName, profiles } from "../profiles/Profiles.ts"
import { seeded } from "../chain/Random.ts"

/** A running peer of the devnet. */
export interface DevPeer {
  readonly profile: ProfileName
  readonly peerId: string
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** With `/p2p/…`; of QUIC, if it is on that. */
  readonly multiaddr: string
  /** Of every transport that it is on, QUIC first. */
  readonly multiaddrs: ReadonlyArray<string>
  readonly agent: string
  /** The ENR as it is now: epochs and claims change it. */
  readonly enr: Effect.Effect<string>
  /** What it says of itself now. */
  readonly claim: Effect.Effect<PeerClaim>
  /** What it did to others. */
  readonly account: Effect.Effect<Account>
}

/**
 * Starts the peer at the place `index` in the devnet; with the scope it says goodbye and stops. It is to be found by
 * discv5 if there is one.
 */
export const makeDevPeer = (
  chain: DevChain,
  name: ProfileName,
  index: number,
  transports: TransportChoice = "mixed",
  discv5?: DevDiscv5
): Effect.Effect<DevPeer, DevnetError, Scope.Scope> =>
  Effect.gen(function* () {
    const identity = identityOf(chain.seed, index)
    const profile: Profile = profiles[name]
    const agent = agentAt(index, profile.client)
    const random = seeded(chain.seed, "peer", index)
    const topics = makeDevTopics(chain)
    const taken = makeTakenColumns(chain)
    const node = yield* makeNode({
      gossip: topics.rules,
      agent: agent.text,
      privateKey: identity.privateKey,
      muxers: agent.muxers,
      listen: listenOn(yield* transportsAt(transports, chain.seed, index))
    })
    const ledger = yield* makeLedger
    const connections = yield* makeConnections(node, ledger)
    yield* Effect.addFinalizer(() => connections.dismissAll(goodbyeCodes.shutdown))

    const context: PeerContext = {
      chain,
      nodeId: identity.nodeId,
      custodyGroupCount: profile.custodyGroupCount(random),
      strict: agent.strict,
      random,
      met: connections.met,
      dismiss: connections.dismiss,
      hangUp: connections.hangUp,
      dropAll: connections.dropAll,
      visited: connections.visited,
      ledger
    }
    const honest = honestConduct(context)
    const conduct = { ...honest, ...(yield* profile.depart(honest, context)) }
    yield* conduct.serve(
      Effect.all(
        [
          serveGreetings(node, connections, context, conduct),
          serveBlocks(node, context, conduct),
          serveColumns(node, { ...context, taken }, conduct)
        ],
        { discard: true }
      )
    )
    yield* gossipColumns(node, topics, { ...context, taken }, conduct)

    const multiaddrs = node.getMultiaddrs().map(String).toSorted(quicFirst)
    const [multiaddr] = multiaddrs
    if (multiaddr === undefined) return yield* new DevnetError({ reason: "a peer does not listen" })
    const ports = listeningPorts(multiaddrs)
    const { nodeId, peerId, privateKey } = identity
    const says = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const { custodyGroupCount } = yield* conduct.claim
      return { ports, epoch: epochOf(chain.parameters, slotAt(chain.parameters, now)), custodyGroupCount }
    })
    const enr =
      discv5 === undefined
        ? Effect.map(says, (parts) => devEnr(chain.parameters, privateKey, parts).encodeTxt())
        : yield* discv5.join(privateKey, says)
    return {
      profile: name,
      peerId,
      nodeId,
      multiaddr,
      multiaddrs,
      agent: agent.text,
      enr,
      claim: conduct.claim,
      account: ledger.account
    }
  }).pipe(Effect.catchTag("NodeError", (error) => Effect.fail(new DevnetError({ reason: error.message }))))

const quicFirst = (a: string, b: string): number =>
  Number(transportOf(b) === "quic") - Number(transportOf(a) === "quic")
