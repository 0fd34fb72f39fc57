import { Either, Option } from "effect"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { custodyColumns } from "../../../src/domain/column/Custody.ts"
import { serveRange, slotAt, slotStart } from "../../../src/domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../../src/domain/network/ForkDigest.ts"
import { nodeIdOfPublicKey, peerIdOfPublicKey } from "../../../src/domain/peer/NodeId.ts"
import type { PeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import type { PeerDisconnected, RequestError } from "../../../src/domain/probe/Outcome.ts"
import { type ColumnsByRange, type ColumnsOfBlock } from "../../../src/wire/Requests.ts"
import { between, chance } from "./Chance.ts"
import type { Asked, Conduct, MakeConduct, Piece, Reply, Said, Self, Sent } from "./Conduct.ts"
import type { SimulatedBlock, TrueChain } from "./TrueChain.ts"

/** A peer as the host meets it. */
export interface SimulatedPeer {
  readonly address: PeerAddress
  readonly agent: string
  /** The names of its conducts. */
  readonly conducts: ReadonlyArray<string>
  readonly says: (at: number) => Either.Either<Said, RequestError>
  readonly byRange: (request: ColumnsByRange, at: number) => Reply
  readonly byRoot: (request: ReadonlyArray<ColumnsOfBlock>, at: number) => Reply
  readonly isAway: (at: number) => PeerDisconnected | undefined
}

export interface PeerOptions {
  readonly seed: number
  readonly chain: TrueChain
  readonly startedAt: number
  readonly firstSlot: number
  readonly family: string
  readonly conducts: ReadonlyArray<MakeConduct>
}

/** A peer with these conducts, over one that is honest: it keeps what it claims, and is now and then a little late. */
export const makePeer = ({ conducts: makers, family, ...from }: PeerOptions): SimulatedPeer => {
  const { chain, seed } = from
  const { parameters } = chain
  const publicKey = secp256k1.getPublicKey(privateKey(seed))
  const nodeId = nodeIdOfPublicKey(publicKey)
  const peerId = peerIdOfPublicKey(publicKey)
  const custody = new Map<number, ReadonlyArray<number>>()
  const columnsOf = (count: number): ReadonlyArray<number> => {
    const known = custody.get(count) ?? custodyColumns(nodeId, count)
    custody.set(count, known)
    return known
  }
  const self: Self = { ...from, family, columnsOf }
  const conducts: ReadonlyArray<Conduct> = makers.map((make) => make(self))
  const groups = conducts.reduce((before, { groups }) => groups ?? before, 4)
  const kept = new Set(columnsOf(groups))
  const lagMs = between(500, 4_000, chance(seed, 1))

  const blockAt = (slot: number, at: number): SimulatedBlock | undefined =>
    conducts.reduce(
      (known, { blockAt }) => (blockAt === undefined ? known : blockAt(slot, at, known)),
      chain.blockAt(slot, at - lagMs)
    )

  /** A column comes by gossip some seconds after its slot began, and a node forgets it by its own clock. */
  const holds = (piece: Piece, at: number): boolean =>
    slotStart(parameters, piece.block.slot) + 1_000 + 5_000 * chance(seed, piece.block.slot, piece.column) <= at &&
    piece.block.slot >= serveRange(parameters, slotAt(parameters, at)).start &&
    // Each of them hears of the question: what is rebuilt on demand is rebuilt from then on.
    conducts.map(({ stores }) => stores === undefined || stores(piece, at)).every(Boolean)

  const finish = (sent: ReadonlyArray<Sent>, asked: Asked): Reply =>
    conducts.reduce((reply: Reply, { answers }) => answers?.(reply, asked) ?? reply, {
      sent,
      waitMs: between(50, 400, chance(seed, asked.at, 2))
    })

  return {
    address: { peerId, multiaddrs: ["/ip4/192.0.2.1/tcp/9000"], enrCustodyGroupCount: Option.none() },
    agent: `${family}/v1.0.0`,
    conducts: conducts.map(({ name }) => name),
    says: (at) => {
      const head = chain.lastBlock(slotAt(parameters, at - lagMs), at - lagMs)?.slot ?? 0
      let said: Said | RequestError = {
        metadataCount: groups,
        enrCount: undefined,
        enrIsCurrent: true,
        earliestAvailableSlot: from.firstSlot,
        headSlot: head,
        finalized: chain.finalizedAt(at - lagMs),
        forkDigest: forkDigestOfSlot(parameters, slotAt(parameters, at)),
        sequenceNumber: 1,
        observedAt: at
      }
      for (const conduct of conducts) {
        if (conduct.said === undefined) continue
        said = conduct.said(said, at)
        if (isError(said)) return Either.left(said)
      }
      return Either.right(said)
    },
    byRange: ({ columns, count, startSlot }, at) => {
      const sent: Array<Sent> = []
      for (let slot = startSlot; slot < startSlot + count; slot++) {
        const block = blockAt(slot, at)
        if (block === undefined || block.commitments.length === 0) continue
        for (const column of columns) {
          if (kept.has(column) && holds({ block, column, via: "range" }, at)) sent.push({ block, column })
        }
      }
      return finish(sent, { via: "range", startSlot, at })
    },
    byRoot: (request, at) => {
      const sent: Array<Sent> = []
      for (const { blockRoot, columns } of request) {
        const block = chain.byRoot(blockRoot)
        if (block === undefined || block.commitments.length === 0) continue
        for (const column of columns) {
          if (kept.has(column) && holds({ block, column, via: "root" }, at)) sent.push({ block, column })
        }
      }
      const [first] = request
      return finish(sent, { via: "root", startSlot: chain.byRoot(first?.blockRoot ?? "")?.slot ?? 0, at })
    },
    isAway: (at) => conducts.flatMap(({ isAway }) => isAway?.(at) ?? [])[0]
  }
}

const isError = (said: Said | RequestError): said is RequestError => "_tag" in said

const privateKey = (seed: number): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, index) => 1 + Math.floor(254 * chance(seed, index, 77)))
