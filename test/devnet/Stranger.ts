import type { Connection } from "@libp2p/interface"
import { multiaddr } from "@multiformats/multiaddr"
import { ssz } from "@lodestar/types"
import kzg from "c-kzg"
import { createHash } from "node:crypto"
import { Chunk, Clock, Context, Duration, Effect, Either, Layer, Option, Queue, Ref, Stream } from "effect"
import { concatBytes, equalBytes, toHex } from "../../src/domain/Bytes.ts"
import { epochOf, slotAt } from "../../src/domain/network/Chain.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import { forkDigestAt } from "../../src/domain/network/ForkDigest.ts"
import { hasSidecars, type DevBlock } from "../../src/devnet/chain/DevBlock.ts"
import { type Devnet, type DevnetOptions, makeDevnet } from "../../src/devnet/Devnet.ts"
import type { DevPeer } from "../../src/devnet/peer/DevPeer.ts"
import { request, type RequestLimits } from "../../src/wire/Client.ts"
import { decodeStatus, decodeUint64, type StatusMessage, statusRequest } from "../../src/wire/Handshake.ts"
import type { RequestMessage } from "../../src/wire/Message.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { goodbye } from "../../src/wire/Protocol.ts"
import { columnsByRange, columnsByRoot } from "../../src/wire/Requests.ts"
import { serve } from "../../src/wire/Server.ts"
import { eventually } from "../Eventually.ts"
import { scaled } from "../TimeLimits.ts"

/** A devnet and a node of somebody else who talks to its peers. */
export class Stranger extends Context.Tag("test/Stranger")<
  Stranger,
  {
    readonly devnet: Devnet
    readonly peer: (profile: string, nth?: number) => DevPeer
    /** Dials and sends Status. */
    readonly greet: (peer: DevPeer, forkDigest?: string) => Effect.Effect<Connection>
    readonly dial: (peer: DevPeer) => Effect.Effect<Connection>
    readonly columnsOf: (peer: DevPeer) => Effect.Effect<ReadonlyArray<number>>
    /** Canonical blocks with columns from `start` on, `count` slots. */
    readonly blocks: (start: number, count: number) => Effect.Effect<ReadonlyArray<DevBlock>>
    /** Greets, and asks for its custody columns of the slots. */
    readonly range: (
      peer: DevPeer,
      start: number,
      count: number,
      limits?: Partial<RequestLimits>
    ) => Effect.Effect<Heard>
    /** Greets, and asks for these columns of the blocks: its custody columns if they are left out. */
    readonly byRoot: (
      peer: DevPeer,
      blocks: ReadonlyArray<DevBlock>,
      columns?: ReadonlyArray<number>
    ) => Effect.Effect<Heard>
    /** The Status that the peer responds with, if it does. */
    readonly statusOf: (
      connection: Connection,
      limits?: Partial<RequestLimits>
    ) => Effect.Effect<Option.Option<StatusMessage>>
    /** The code of the next Goodbye of the peer. */
    readonly goodbyeOf: (peer: DevPeer) => Effect.Effect<number>
    /** Returns when no connection to the peer is left. */
    readonly gone: (peer: DevPeer) => Effect.Effect<void>
  }
>() {}

export const layerStranger = (options: DevnetOptions): Layer.Layer<Stranger> =>
  Layer.scoped(
    Stranger,
    Effect.gen(function* () {
      const devnet = yield* makeDevnet(options)
      const { chain, parameters, peers } = devnet
      const node = yield* makeNode({ agent: "stranger" })
      const goodbyes = new Map<string, Queue.Queue<number>>()
      for (const { peerId } of peers) goodbyes.set(peerId, yield* Queue.unbounded<number>())
      yield* serve(node, goodbye, (body, peerId) =>
        Effect.gen(function* () {
          const queue = goodbyes.get(peerId)
          if (queue !== undefined) yield* Queue.offer(queue, yield* Effect.orDie(decodeUint64(body)))
        })
      )
      const dial = (peer: DevPeer) => Effect.promise(() => node.dial(multiaddr(peer.multiaddr)))
      const currentDigest = Effect.map(Clock.currentTimeMillis, (now) =>
        toHex(forkDigestAt(parameters, epochOf(parameters, slotAt(parameters, now))))
      )
      const exchangeStatus = (connection: Connection, forkDigest?: string, limits?: Partial<RequestLimits>) =>
        Effect.gen(function* () {
          const state = yield* chain.state
          const status = {
            forkDigest: forkDigest ?? (yield* currentDigest),
            finalizedRoot: `0x${"00".repeat(32)}`,
            finalizedEpoch: 0,
            headRoot: state.head.root,
            headSlot: state.head.slot,
            earliestAvailableSlot: state.head.slot
          }
          return yield* ask(connection, statusRequest(status), limits)
        })
      const greet = (peer: DevPeer, forkDigest?: string) =>
        Effect.gen(function* () {
          const connection = yield* dial(peer)
          const heard = yield* exchangeStatus(connection, forkDigest)
          if (heard.chunks.length !== 1) yield* Effect.dieMessage(`no Status: ${heard.end}`)
          return connection
        })
      const statusOf = (connection: Connection, limits?: Partial<RequestLimits>) =>
        Effect.map(exchangeStatus(connection, undefined, limits), ({ chunks }) =>
          Option.flatMap(Option.fromNullable(chunks[0]), ({ ssz }) => Either.getRight(decodeStatus(ssz)))
        )
      const columnsOf = (peer: DevPeer) =>
        Effect.map(peer.claim, ({ custodyGroupCount }) => custodyColumns(peer.nodeId, custodyGroupCount))
      const goodbyeOf = (peer: DevPeer) => {
        const queue = goodbyes.get(peer.peerId)
        return queue === undefined
          ? Effect.dieMessage("not a peer of the devnet")
          : Queue.take(queue).pipe(Effect.timeout(scaled("30 seconds")), Effect.orDie)
      }
      const peer = (profile: string, nth = 0) => {
        const peer = peers.filter((peer) => peer.profile === profile)[nth]
        if (peer === undefined) throw new Error(`no peer ${nth} of profile ${profile}`)
        return peer
      }
      const gone = (peer: DevPeer) =>
        eventually(
          () => !node.getConnections().some(({ remotePeer }) => remotePeer.toString() === peer.peerId),
          "40 seconds"
        )
      return Stranger.of({
        devnet,
        gone,
        peer,
        goodbyeOf,
        statusOf,
        dial,
        greet,
        columnsOf,
        blocks: (start, count) =>
          Effect.map(chain.state, ({ canonical }) =>
            Array.from({ length: count }, (_, index) => canonical.get(start + index) ?? [])
              .flat()
              .filter(hasSidecars)
          ),
        byRoot: (peer, blocks, columns) =>
          Effect.gen(function* () {
            const connection = yield* greet(peer)
            const wanted = columns ?? (yield* columnsOf(peer))
            return yield* ask(
              connection,
              columnsByRoot(blocks.map(({ root }) => ({ blockRoot: root, columns: wanted })))
            )
          }),
        range: (peer, startSlot, count, limits) =>
          Effect.gen(function* () {
            const connection = yield* greet(peer)
            return yield* ask(connection, columnsByRange({ startSlot, count, columns: yield* columnsOf(peer) }), limits)
          })
      })
    }).pipe(Effect.orDie)
  )

/** For what does come, however busy the machine is. */
const minute = Duration.minutes(1)
const patient: RequestLimits = { open: minute, firstByte: minute, chunk: minute, total: minute }

/** An answer, to its end. */
export interface Heard {
  readonly chunks: ReadonlyArray<{ readonly context: string | undefined; readonly ssz: Uint8Array }>
  /** `end` for a clean one, else the tag of the error and what it says. */
  readonly end: string
}

/** An answer without chunks. */
export const clean: Heard = { chunks: [], end: "end" }

export const ask = (
  connection: Connection,
  message: RequestMessage,
  limits: Partial<RequestLimits> = {}
): Effect.Effect<Heard> =>
  Effect.gen(function* () {
    const chunks = yield* Ref.make(Chunk.empty<Heard["chunks"][number]>())
    const end = yield* request(connection, message, { ...patient, ...limits }).pipe(
      Effect.flatMap((answer) => Stream.runForEach(answer.chunks, (chunk) => Ref.update(chunks, Chunk.append(chunk)))),
      Effect.scoped,
      Effect.match({
        onSuccess: () => "end",
        onFailure: (error) => `${error._tag} ${"detail" in error ? error.detail : error.stage}`
      })
    )
    return { chunks: [...(yield* Ref.get(chunks))], end }
    // Its limits are for a network that is real, whatever the clock of the test.
  }).pipe(Effect.withClock(Clock.make()))

/** `slot:column` of each sidecar, in the order in which they came. */
export const labels = ({ chunks }: Heard): ReadonlyArray<string> =>
  chunks.map(({ ssz: bytes }) => {
    const sidecar = ssz.fulu.DataColumnSidecar.deserialize(bytes)
    return `${sidecar.signedBlockHeader.message.slot}:${sidecar.index}`
  })

/** Those of the columns that came at all. */
export const keptOf = (heard: Heard, columns: ReadonlyArray<number>): ReadonlyArray<number> => {
  const got = labels(heard)
  return columns.filter((column) => got.some((label) => label.endsWith(`:${column}`)))
}

/** `slot:column` of what is due: ascending by slot and column. */
export const due = (blocks: ReadonlyArray<DevBlock>, columns: ReadonlyArray<number>): ReadonlyArray<string> =>
  blocks.flatMap(({ slot }) => columns.map((column) => `${slot}:${column}`))

/** Which checks a sidecar fails against the block that it should belong to; written apart from the monitor's. */
export const failedChecks = (bytes: Uint8Array, block: DevBlock): ReadonlyArray<string> => {
  const sidecar = ssz.fulu.DataColumnSidecar.deserialize(bytes)
  const { message } = sidecar.signedBlockHeader
  const failed: Array<string> = []
  if (toHex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(message)) !== block.root) failed.push("header")
  if (!equalBytes(concatBytes(sidecar.kzgCommitments), concatBytes(block.commitments))) failed.push("commitments")
  const root = sidecar.kzgCommitmentsInclusionProof.reduce(
    (node, sibling, depth) => (((11 >> depth) & 1) === 1 ? sha256(sibling, node) : sha256(node, sibling)),
    ssz.deneb.BlobKzgCommitments.hashTreeRoot(sidecar.kzgCommitments)
  )
  if (!equalBytes(root, message.bodyRoot)) failed.push("inclusion")
  const indices = sidecar.column.map(() => sidecar.index)
  if (!kzg.verifyCellKzgProofBatch(sidecar.kzgCommitments, indices, sidecar.column, sidecar.kzgProofs))
    failed.push("kzg")
  return failed
}

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(createHash("sha256").update(concatBytes(parts)).digest())
