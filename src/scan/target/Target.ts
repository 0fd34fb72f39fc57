import { secp256k1 } from "@noble/curves/secp256k1.js"
import { Either, Option, Schema } from "effect"
import { isPeerId, peerIdOfPublicKey } from "../../domain/peer/NodeId.ts"
import { decodeNodeRecord, type NodeRecord } from "../../domain/peer/NodeRecord.ts"
import { pasted } from "../../domain/peer/Pasted.ts"
import { addressOfRecord, type PeerAddress, parsePeerAddress } from "../../domain/peer/PeerAddress.ts"
import { fromHex } from "../../domain/Bytes.ts"
import { oneLine, printable } from "../../domain/Text.ts"

/** Whom to scan, as a person named it. */
export interface Target {
  /** The text as it was given, but for what was pasted with it. */
  readonly given: string
  readonly kind: "enr" | "multiaddr" | "enode" | "peer_id"
  /** Without multiaddrs, the peer has to be found first. */
  readonly address: PeerAddress
  /** The record, if that is what was given. */
  readonly record: Option.Option<NodeRecord>
}

/** A text that names no peer; `reason` says what is allowed. */
export class InvalidTarget extends Schema.TaggedError<InvalidTarget>()("InvalidTarget", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** What a target may be, for a person. */
const allowedTargets =
  "an ENR (enr:…), a multiaddr that ends in /p2p/<peer id>, an enode://<key>@<host>:<tcp port>, or a peer id (16Uiu2…)"

/**
 * Reads one target. An `enode://` names a node by the same kind of key as an ENR does (secp256k1), so that its peer id
 * follows from it; that of an execution client names a node that speaks nothing of this, and is met as one.
 */
export const parseTarget = (text: string): Either.Either<Target, InvalidTarget> => {
  const given = pasted(text)
  if (given.length > longest)
    return invalid(given, `it is ${given.length} characters long, at most ${longest} are read`)
  if (given.startsWith("enr:")) return fromRecord(given)
  if (given.startsWith("enode://")) return fromEnode(given)
  if (given.startsWith("/")) {
    return Either.mapBoth(parsePeerAddress(given), {
      onLeft: ({ reason }) => new InvalidTarget({ reason: `${shown(given)}: ${oneLine(reason)}` }),
      onRight: (address): Target => ({ given, kind: "multiaddr", address, record: Option.none() })
    })
  }
  if (isPeerId(given)) {
    const address = { peerId: given, multiaddrs: [], enrCustodyGroupCount: Option.none() }
    return Either.right({ given, kind: "peer_id", address, record: Option.none() })
  }
  return invalid(given, "this names no peer")
}

/** EIP-778 says 300 bytes at most. */
const longest = 2048

/** A record without an address to dial still says whom to find. */
const fromRecord = (given: string): Either.Either<Target, InvalidTarget> =>
  Either.mapBoth(decodeNodeRecord(given), {
    onLeft: ({ reason }) => new InvalidTarget({ reason: `${shown(given)}: not a valid ENR: ${oneLine(reason)}` }),
    onRight: (record): Target => ({
      given,
      kind: "enr",
      address: addressOfRecord(record),
      record: Option.some(record)
    })
  })

/** `enode://<128 hexadecimal digits>@<host>:<tcp port>[?discport=<udp port>]`. */
const fromEnode = (given: string): Either.Either<Target, InvalidTarget> => {
  const [, key, host = "", port = ""] = enode.exec(given) ?? []
  if (key === undefined) return invalid(given, "it is not enode://<128 hexadecimal digits>@<host>:<tcp port>")
  if (Number(port) < 1 || Number(port) > 65_535) return invalid(given, `there is no tcp port ${port}`)
  return Either.flatMap(
    Either.try({
      try: () => peerIdOfPublicKey(secp256k1.Point.fromBytes(fromHex(`04${key}`)).toBytes(true)),
      catch: () => new InvalidTarget({ reason: `${shown(given)}: its key is no point of secp256k1` })
    }),
    (peerId) =>
      Either.mapBoth(parsePeerAddress(`${placeOf(host)}/tcp/${Number(port)}/p2p/${peerId}`), {
        onLeft: () => new InvalidTarget({ reason: `${shown(given)}: ${shown(host)} is no host` }),
        onRight: (address): Target => ({ given, kind: "enode", address, record: Option.none() })
      })
  )
}

const enode = /^enode:\/\/([0-9a-fA-F]{128})@(\[[0-9a-fA-F:.]+\]|[^\s[\]:@/?#]+):(\d{1,5})(?:\?discport=\d{1,5})?$/

const placeOf = (host: string): string => {
  if (host.startsWith("[")) return `/ip6/${host.slice(1, -1)}`
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? `/ip4/${host}` : `/dns/${host}`
}

const invalid = (given: string, why: string): Either.Either<never, InvalidTarget> =>
  Either.left(new InvalidTarget({ reason: `${shown(given)}: ${why}; allowed is ${allowedTargets}` }))

const shown = (text: string): string => {
  const clean = printable(text, 40)
  return clean === "" ? "an empty text" : text.length > 40 ? `${clean}…` : clean
}
