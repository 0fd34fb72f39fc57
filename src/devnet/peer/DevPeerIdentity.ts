import { SignableENR } from "@chainsafe/enr"
import { ssz } from "@lodestar/types"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { fromHex } from "../../domain/Bytes.ts"
import { type ChainParameters, forkAt } from "../../domain/network/Chain.ts"
import { forkDigestAt } from "../../domain/network/ForkDigest.ts"
import { nodeIdOfPublicKey, peerIdOfPublicKey } from "../../domain/peer/NodeId.ts"
import { seeded } from "../chain/Random.ts"

/** Who a node of the devnet is. */
export interface DevPeerIdentity {
  /** 32 bytes, secp256k1. */
  readonly privateKey: Uint8Array
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly peerId: string
}

/** The identity that the seed gives to `owner`. Its key is no secret. */
export const identityOf = (seed: number, owner: string | number): DevPeerIdentity => {
  const privateKey = seeded(seed, "key", owner).bytes(32)
  const publicKey = secp256k1.getPublicKey(privateKey)
  return { privateKey, nodeId: nodeIdOfPublicKey(publicKey), peerId: peerIdOfPublicKey(publicKey) }
}

/** What a node says of itself in its ENR. */
export interface EnrParts {
  /** 32 bytes, secp256k1. */
  readonly privateKey: Uint8Array
  /** On 127.0.0.1; `undefined` for a node that does not listen. */
  readonly tcpPort: number | undefined
  /** The epoch that the clock shows. */
  readonly epoch: number
  /** `0x` and 8 digits. */
  readonly forkDigest: string
  readonly custodyGroupCount: number
  /** How often the node has changed its ENR by itself; steps of the network add to it. */
  readonly changes: number
}

/** The signed ENR of a node (fulu/p2p-interface.md, "ENR structure"), as text. */
export const encodeEnr = (chain: ChainParameters, parts: EnrParts): string => {
  const steps = networkSteps(chain)
  const next = steps.find((epoch) => epoch > parts.epoch)
  const enr = SignableENR.createV4(parts.privateKey, {
    eth2: ssz.phase0.ENRForkID.serialize({
      forkDigest: fromHex(parts.forkDigest),
      // A step of the blob limit alone changes the epoch, and not the version.
      nextForkVersion: forkAt(chain, next !== undefined && isFork(chain, next) ? next : parts.epoch).version,
      nextForkEpoch: next ?? Infinity
    }),
    attnets: new Uint8Array(8),
    syncnets: new Uint8Array(1),
    cgc: bigEndian(parts.custodyGroupCount),
    nfd: next === undefined ? new Uint8Array(4) : forkDigestAt(chain, next)
  })
  if (parts.tcpPort !== undefined) {
    enr.ip = "127.0.0.1"
    enr.tcp = parts.tcpPort
  }
  enr.seq = BigInt(1 + parts.changes + steps.filter((epoch) => epoch <= parts.epoch).length)
  return enr.encodeTxt()
}

/** The epochs after genesis at which the fork digest changes, ascending. */
const networkSteps = (chain: ChainParameters): ReadonlyArray<number> =>
  [...new Set([...chain.forks, ...chain.blobSchedule].map(({ epoch }) => epoch))]
    .filter((epoch) => epoch > 0 && Number.isFinite(epoch))
    .sort((a, b) => a - b)

const isFork = (chain: ChainParameters, epoch: number): boolean => chain.forks.some((fork) => fork.epoch === epoch)

/** Without leading zeros; 0 is the empty string. */
const bigEndian = (value: number): Uint8Array => {
  const hex = value.toString(16)
  return value === 0 ? new Uint8Array(0) : fromHex(hex.padStart(hex.length + (hex.length % 2), "0"))
}
