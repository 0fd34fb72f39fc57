import { ENR } from "@chainsafe/enr"
import { Either, Option, Schema } from "effect"
import { toHex } from "./Bytes.ts"
import { nodeIdOfPublicKey, peerIdOfPublicKey } from "./Identity.ts"

/** A node record (ENR, EIP-778) that cannot be read; `reason` says what is wrong with it. */
export class InvalidNodeRecord extends Schema.TaggedError<InvalidNodeRecord>()("InvalidNodeRecord", {
  reason: Schema.String
}) {
  override get message(): string {
    return `not a valid ENR: ${this.reason}`
  }
}

/** What a monitor reads of an ENR (fulu/p2p-interface.md, "ENR structure"). */
export interface NodeRecord {
  readonly enr: string
  readonly seq: bigint
  readonly peerId: string
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** `/ip4/…/tcp/…` and `/ip6/…/tcp/…`, without `/p2p/…`. */
  readonly multiaddrs: ReadonlyArray<string>
  /** `cgc`; absent before Fulu, and where it is no number up to 2^53. */
  readonly custodyGroupCount: Option.Option<number>
  /** `eth2`, the first four bytes. */
  readonly forkDigest: Option.Option<string>
  /** `nfd`: the digest of the next fork. */
  readonly nextForkDigest: Option.Option<string>
  /** `client`: name and version, from the few that write it. */
  readonly client: Option.Option<string>
}

/** Reads and checks (signature too) the text form of an ENR. */
export const decodeNodeRecord = (text: string): Either.Either<NodeRecord, InvalidNodeRecord> =>
  Either.try({
    try: () => {
      const enr = ENR.decodeTxt(text.trim())
      const multiaddrs = [
        ...(enr.ip !== undefined && enr.tcp !== undefined ? [`/ip4/${enr.ip}/tcp/${enr.tcp}`] : []),
        ...(enr.ip6 !== undefined && enr.tcp6 !== undefined ? [`/ip6/${enr.ip6}/tcp/${enr.tcp6}`] : [])
      ]
      return {
        enr: text.trim(),
        seq: enr.seq,
        peerId: peerIdOfPublicKey(enr.publicKey),
        nodeId: nodeIdOfPublicKey(enr.publicKey),
        multiaddrs,
        custodyGroupCount: Option.flatMap(Option.fromNullable(enr.kvs.get("cgc")), bigEndianNumber),
        forkDigest: Option.filterMap(Option.fromNullable(enr.kvs.get("eth2")), (bytes) =>
          bytes.length === 16 ? Option.some(toHex(bytes.subarray(0, 4))) : Option.none()
        ),
        nextForkDigest: Option.filterMap(Option.fromNullable(enr.kvs.get("nfd")), (bytes) =>
          bytes.length === 4 ? Option.some(toHex(bytes)) : Option.none()
        ),
        client: Option.map(Option.fromNullable(enr.kvs.get("client")), printable)
      }
    },
    catch: (error) => new InvalidNodeRecord({ reason: error instanceof Error ? error.message : String(error) })
  })

/** RLP integers are big-endian without leading zeros; the empty string is 0. */
const bigEndianNumber = (bytes: Uint8Array): Option.Option<number> =>
  bytes.length > 6 ? Option.none() : Option.some(bytes.reduce((sum, byte) => sum * 256 + byte, 0))

/** Whatever a stranger wrote into a record, as at most 64 printable characters. */
const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString("latin1")
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, 64)
