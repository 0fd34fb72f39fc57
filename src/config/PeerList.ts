import { Either, ParseResult, Schema } from "effect"
import { parsePeerAddress, type PeerAddress } from "../domain/peer/PeerAddress.ts"
import { expected } from "./Show.ts"
import { listOf, repetitions } from "./Values.ts"
import { oneLine } from "../domain/Text.ts"

/** A peer that is named in the configuration, with the text that names it. */
interface ConfiguredPeer extends PeerAddress {
  /** An ENR, or a multiaddr that ends in `/p2p/<peer id>`. */
  readonly text: string
}

const ConfiguredPeerFromSelf = Schema.Struct({
  text: Schema.String,
  peerId: Schema.String,
  multiaddrs: Schema.Array(Schema.String),
  enrCustodyGroupCount: Schema.OptionFromSelf(Schema.Number)
})

const ConfiguredPeer = Schema.transformOrFail(
  Schema.String.annotations(expected("an ENR or a multiaddr that ends in /p2p/<peer id>")),
  ConfiguredPeerFromSelf,
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.mapBoth(parsePeerAddress(text.trim()), {
        onLeft: (error) => new ParseResult.Type(ast, text, oneLine(error.message)),
        onRight: (address) => ({ ...address, text: text.trim() })
      }),
    encode: ({ text }) => ParseResult.succeed(text)
  }
)

/** Peers that `key` names, each once. */
export const peerList = (key: string) =>
  listOf(ConfiguredPeer, "ENRs or multiaddrs").pipe(
    Schema.filter((peers) =>
      repetitions(
        peers,
        ({ peerId }) => peerId,
        ({ peerId }, first) => `the same peer as ${key}[${first}] (${peerId})`
      )
    )
  )
