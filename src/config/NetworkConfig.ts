import { ENR } from "@chainsafe/enr"
import { Either, ParseResult, Schema } from "effect"
import { type NetworkName, networkNames } from "../domain/network/NetworkName.ts"
import { decodeNodeRecord } from "../domain/peer/NodeRecord.ts"
import { oneLine } from "../domain/Text.ts"
import { publicNodes } from "./places/PublicNodes.ts"
import { expected, show } from "./Show.ts"
import { closest } from "./Suggest.ts"
import { listOf, optional, repetitions } from "./Values.ts"

const Network = Schema.Literal(...networkNames).annotations({
  message: ({ actual }) => {
    const meant = typeof actual === "string" ? closest(actual, networkNames) : undefined
    const advice = meant === undefined ? "for any other leave it out: its beacon node tells" : `did you mean ${meant}?`
    return {
      message: `expected one of ${networkNames.join(", ")}, got ${show(actual)} (${advice})`,
      override: true
    }
  }
})

/** The text of a record that discovery can begin with. */
const BootNode = Schema.transformOrFail(
  Schema.String.annotations(expected("the ENR of a node")),
  Schema.Struct({ text: Schema.String, peerId: Schema.String }),
  {
    strict: true,
    decode: (text, _, ast) => Either.mapLeft(readBootNode(text), (reason) => new ParseResult.Type(ast, text, reason)),
    encode: ({ text }) => ParseResult.succeed(text)
  }
)

const readBootNode = (text: string) =>
  Either.flatMap(
    Either.mapLeft(decodeNodeRecord(text), ({ message }) => oneLine(message)),
    ({ enr, peerId }) => {
      const record = ENR.decodeTxt(enr)
      return record.udp !== undefined || record.udp6 !== undefined
        ? Either.right({ text: enr, peerId })
        : Either.left("this ENR has no UDP port (udp or udp6), so that discovery cannot begin with it")
    }
  )

const BootNodes = listOf(BootNode, "ENRs").pipe(
  Schema.filter((nodes) =>
    repetitions(
      nodes,
      ({ peerId }) => peerId,
      ({ peerId }, first) => `the same node as entry ${first} of the list (${peerId})`
    )
  )
)

/** The keys that say which network is watched, and where it begins; they stand beside all others. */
export const networkKeys = {
  /** The beacon node must be of it, and what the node leaves out is taken from it. Left out, it is the beacon node's. */
  network: optional(Network),
  /** What discovery begins with, in place of the public nodes of the named network. */
  bootnodes: optional(BootNodes)
}

/**
 * The records (as text) that discv5 begins with: those that are set, or the public ones of the named network; none where
 * it is not to run, and without any it does not.
 */
export const bootnodesOf = (config: {
  readonly network?: NetworkName
  readonly bootnodes?: ReadonlyArray<{ readonly text: string }>
  readonly discovery: { readonly discv5: boolean }
}): ReadonlyArray<string> => {
  if (!config.discovery.discv5) return []
  return (
    config.bootnodes?.map(({ text }) => text) ?? (config.network === undefined ? [] : publicNodes[config.network].enrs)
  )
}
