import { ENR } from "@chainsafe/enr"
import { Either, Option, Schema } from "effect"
import { type AddressScope, scopeOfIp } from "./AddressScope.ts"
import { toHex } from "../Bytes.ts"
import { nodeIdOfPublicKey, peerIdOfPublicKey } from "./NodeId.ts"
import { messageOf } from "../Text.ts"
import type { PeerId } from "../Primitives.ts"
import { subnetsOfRecord } from "./RecordSubnets.ts"
import type { Subnets } from "./Subnets.ts"

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
  readonly peerId: PeerId
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /**
   * `/ip4/…/udp/…/quic-v1` and the same of `ip6`, then `/ip4/…/tcp/…` and the same of `ip6`; without `/p2p/…`, and without
   * those at which nobody can be (`nowhere`).
   */
  readonly multiaddrs: ReadonlyArray<string>
  /** Of its `ip` and `ip6`, whatever ports it has. */
  readonly scopes: ReadonlyArray<AddressScope>
  /** `cgc`; absent before Fulu, and where it is no number up to 2^48. */
  readonly custodyGroupCount: Option.Option<number>
  /** `eth2`, the first four bytes. */
  readonly forkDigest: Option.Option<string>
  /** `nfd`: the digest of the next fork. */
  readonly nextForkDigest: Option.Option<string>
  /** `client`: `name/version`, from the few that write it. */
  readonly client: Option.Option<string>
  /** `attnets` and `syncnets`. */
  readonly subnets: Option.Option<Subnets>
}

/** Reads and checks (signature too) the text form of an ENR. */
export const decodeNodeRecord = (text: string): Either.Either<NodeRecord, InvalidNodeRecord> =>
  Either.try({
    try: () => {
      const enr = ENR.decodeTxt(text.trim())
      const tcp = portOf(enr, "tcp")
      // EIP-778: without a port of its own the IPv6 address has that of the other.
      const tcp6 = Option.orElse(portOf(enr, "tcp6"), () => tcp)
      const ip = hostOf(enr, "ip", 4)
      const ip6 = hostOf(enr, "ip6", 16)
      const overQuic = addressAt((host, port) => `${host}/udp/${port}/quic-v1`)
      const overTcp = addressAt((host, port) => `${host}/tcp/${port}`)
      return {
        enr: text.trim(),
        seq: enr.seq,
        peerId: peerIdOfPublicKey(enr.publicKey),
        nodeId: nodeIdOfPublicKey(enr.publicKey),
        scopes: [bytesOf(enr, "ip", 4), bytesOf(enr, "ip6", 16)].flatMap(Option.toArray).map(scopeOfIp),
        multiaddrs: [
          ...overQuic(ip, portOf(enr, "quic")),
          ...overQuic(ip6, portOf(enr, "quic6")),
          ...overTcp(ip, tcp),
          ...overTcp(ip6, tcp6)
        ],
        custodyGroupCount: Option.flatMap(bytesOf(enr, "cgc"), bigEndianNumber),
        forkDigest: Option.map(bytesOf(enr, "eth2", 16), (bytes) => toHex(bytes.subarray(0, 4))),
        nextForkDigest: Option.map(bytesOf(enr, "nfd", 4), toHex),
        client: clientOf(enr),
        subnets: subnetsOfRecord(enr.kvs)
      }
    },
    catch: (error) => new InvalidNodeRecord({ reason: messageOf(error) })
  })

const addressAt =
  (at: (host: string, port: number) => string) =>
  (host: Option.Option<string>, port: Option.Option<number>): ReadonlyArray<string> =>
    Option.toArray(Option.zipWith(host, port, at))

/** The value of a key; none where it is a list, or has not the length that it must have. */
const bytesOf = (enr: ENR, key: string, length?: number): Option.Option<Uint8Array> => {
  const value: unknown = enr.kvs.get(key)
  return value instanceof Uint8Array && (length === undefined || value.length === length)
    ? Option.some(value)
    : Option.none()
}

const hostOf = (enr: ENR, key: "ip" | "ip6", length: number): Option.Option<string> =>
  bytesOf(enr, key, length).pipe(
    Option.filter((bytes) => scopeOfIp(bytes) !== "nowhere"),
    Option.map(() => (key === "ip" ? `/ip4/${enr.ip}` : `/ip6/${enr.ip6}`))
  )

const portOf = (enr: ENR, key: string): Option.Option<number> =>
  Option.filter(Option.flatMap(bytesOf(enr, key), bigEndianNumber), (port) => port > 0 && port < 65_536)

/** A list of name and version (EIP-7636), or one text. */
const clientOf = (enr: ENR): Option.Option<string> => {
  const value: unknown = enr.kvs.get("client")
  const parts: ReadonlyArray<unknown> = Array.isArray(value) ? value.slice(0, 2) : [value]
  const texts = parts.flatMap((part) => (part instanceof Uint8Array ? [printable(part)] : []))
  return texts.length === 0 ? Option.none() : Option.some(texts.join("/"))
}

/** RLP integers are big-endian without leading zeros; the empty string is 0. */
const bigEndianNumber = (bytes: Uint8Array): Option.Option<number> =>
  bytes.length > 6 ? Option.none() : Option.some(bytes.reduce((sum, byte) => sum * 256 + byte, 0))

/** Whatever a stranger wrote into a record, as at most 32 printable characters. */
const printable = (bytes: Uint8Array): string =>
  String.fromCharCode(...bytes)
    .replace(/[^\x20-\x7e]+/g, " ")
    .trim()
    .slice(0, 32)
