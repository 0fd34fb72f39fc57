import { multiaddr } from "@multiformats/multiaddr"
import { peerIdFromString } from "@libp2p/peer-id"
import { Either, Option, ParseResult, Schema } from "effect"
import { decodeNodeRecord } from "../domain/peer/NodeRecord.ts"
import { expected } from "./Show.ts"
import { listOf } from "./Values.ts"
import { messageOf, oneLine } from "../domain/Text.ts"

/** What names one peer, or many of them by their agent string. */
const NodePatternFromSelf = Schema.Union(
  Schema.TaggedStruct("Peer", { peerId: Schema.String }),
  /** `0x` and 64 lower-case digits. */
  Schema.TaggedStruct("Node", { nodeId: Schema.String }),
  /** Any part of the agent string, upper and lower case alike. */
  Schema.TaggedStruct("Agent", { part: Schema.String })
)
export type NodePattern = typeof NodePatternFromSelf.Type

const allowed = "an ENR, a multiaddr with /p2p/, a peer id, a node id or a part of an agent string"

const Text = Schema.String.pipe(
  Schema.filter((text) => text.trim() !== ""),
  Schema.annotations(expected(allowed))
)

const NodePattern = Schema.transformOrFail(Text, NodePatternFromSelf, {
  strict: true,
  decode: (text, _, ast) =>
    Either.mapLeft(parseNodePattern(text.trim()), (reason) => new ParseResult.Type(ast, text, reason)),
  encode: (pattern) => ParseResult.succeed(formatNodePattern(pattern))
})

/** Which peers are watched: those of `include`, or all if it is empty, without those of `exclude`. */
export const NodeFilter = Schema.Struct({
  include: Schema.optionalWith(listOf(NodePattern, "peers"), { exact: true, default: () => [] }),
  exclude: Schema.optionalWith(listOf(NodePattern, "peers"), { exact: true, default: () => [] })
})
export type NodeFilter = typeof NodeFilter.Type

/** A peer as the filter sees it; none is what is not (yet) known of it. */
export interface FilteredNode {
  readonly peerId: string
  /** `0x` and 64 lower-case digits. */
  readonly nodeId: Option.Option<string>
  readonly agent: Option.Option<string>
}

/** Whether the filter lets the peer through. A peer whose agent is not known yet matches no agent string. */
export const nodeFilterAllows = (filter: NodeFilter, node: FilteredNode): boolean =>
  (filter.include.length === 0 || filter.include.some((pattern) => matches(pattern, node))) &&
  !filter.exclude.some((pattern) => matches(pattern, node))

const matches = (pattern: NodePattern, node: FilteredNode): boolean => {
  switch (pattern._tag) {
    case "Peer":
      return pattern.peerId === node.peerId
    case "Node":
      return Option.contains(node.nodeId, pattern.nodeId)
    case "Agent":
      return Option.exists(node.agent, (agent) => agent.toLowerCase().includes(pattern.part.toLowerCase()))
  }
}

/** A text that has the looks of an identity must be a good one: read as an agent string it would silently match nobody. */
const parseNodePattern = (text: string): Either.Either<NodePattern, string> => {
  if (/^enr:/i.test(text)) {
    return Either.mapBoth(decodeNodeRecord(text), {
      onLeft: (error) => oneLine(error.message),
      onRight: ({ peerId }): NodePattern => ({ _tag: "Peer", peerId })
    })
  }
  if (text.startsWith("/")) return Either.flatMap(peerIdOfMultiaddr(text), peerPattern)
  if (/^0x/i.test(text) || /^[0-9a-f]{64}$/i.test(text)) {
    const digits = text.replace(/^0x/i, "")
    return /^[0-9a-f]{64}$/i.test(digits)
      ? Either.right({ _tag: "Node", nodeId: `0x${digits.toLowerCase()}` })
      : Either.left(
          `not a valid node id: expected 0x and 64 hexadecimal digits, got ${digits.length} characters after 0x`
        )
  }
  if (/^(16Uiu2H|12D3Koo|Qm[1-9A-HJ-NP-Za-km-z]{20})/.test(text)) return peerPattern(text)
  return Either.right({ _tag: "Agent", part: text })
}

const formatNodePattern = (pattern: NodePattern): string => {
  switch (pattern._tag) {
    case "Peer":
      return pattern.peerId
    case "Node":
      return pattern.nodeId
    case "Agent":
      return pattern.part
  }
}

const peerPattern = (text: string): Either.Either<NodePattern, string> =>
  Either.try({
    try: (): NodePattern => ({ _tag: "Peer", peerId: peerIdFromString(text).toString() }),
    catch: (error) => `not a valid peer id: ${reasonOf(error)}`
  })

const peerIdOfMultiaddr = (text: string): Either.Either<string, string> =>
  Either.try({
    try: () =>
      multiaddr(text)
        .getComponents()
        .findLast((component) => component.name === "p2p")?.value,
    catch: (error) => `not a valid multiaddr: ${reasonOf(error)}`
  }).pipe(Either.flatMap(Either.fromNullable(() => "the multiaddr does not end in /p2p/<peer id>")))

const reasonOf = (error: unknown): string => oneLine(messageOf(error))
