import { Option } from "effect"
import type { Finding } from "../domain/peer/Finding.ts"
import { addConversation, type ConversationCounts } from "../domain/peer/Verdict.ts"
import type { PeerRefused, RequestError, Unverifiable } from "../domain/probe/Outcome.ts"
import type { NotDialled } from "../host/Host.ts"
import type { ProbeResult } from "../probe/Prober.ts"

/**
 * How often in a row a peer did not speak a protocol that it must speak. Clients listen before their handlers are
 * registered: for some seconds after its start that says nothing.
 */
export interface Unsupported {
  /** Status. */
  readonly handshake: number
  /** DataColumnSidecarsByRange and ByRoot. */
  readonly columns: number
}

/** The part of a peer's state that this is about. */
interface Tried {
  readonly conversations: ConversationCounts
  readonly unsupported: Unsupported
}

export const noneUnsupported: Unsupported = { handshake: 0, columns: 0 }

/** Times in a row, with growing pauses, after which a peer is no longer taken to be starting: some two minutes. */
const stillStarting = 7

export const isUnsupported = (error: RequestError | NotDialled | Unverifiable): error is PeerRefused =>
  error._tag === "PeerRefused" && error.reason === "unsupported_protocol"

/**
 * Why a probe came to nothing, if it was for want of a protocol. A question about what is suspected is another matter: what
 * delivered by range and says that it knows nothing else escapes it. So is what was left out of an answer before.
 */
export const notServed = ({ conversation, error, probe }: ProbeResult): Option.Option<PeerRefused> =>
  probe.purpose !== "confirmation" && conversation === "refused" ? Option.filter(error, isUnsupported) : Option.none()

/** `state` after a handshake that failed for want of a protocol; a peer that goes on like this refuses us. */
export const withoutHandshake = <State extends Tried>(state: State): State => {
  const handshake = state.unsupported.handshake + 1
  const conversations =
    handshake < stillStarting ? state.conversations : addConversation(state.conversations, "refused")
  return { ...state, conversations, unsupported: { ...state.unsupported, handshake } }
}

/** `state` after a handshake: what was held against the peer before it was ready is taken back. */
export const withHandshake = <State extends Tried>(state: State): State => {
  const { handshake } = state.unsupported
  if (handshake === 0) return state
  const refused = Math.max(0, state.conversations.refused - Math.max(0, handshake - stillStarting + 1))
  return {
    ...state,
    conversations: { ...state.conversations, refused },
    unsupported: { ...state.unsupported, handshake: 0 }
  }
}

/** `state` after a request for columns that the peer has no protocol for. */
export const withoutColumns = <State extends Tried>(state: State): State => ({
  ...state,
  unsupported: { ...state.unsupported, columns: state.unsupported.columns + 1 }
})

export const withColumns = <State extends Tried>(state: State): State =>
  state.unsupported.columns === 0 ? state : { ...state, unsupported: { ...state.unsupported, columns: 0 } }

/** Once for each time that a peer turns out to serve none; `state` is that before the request. */
export const columnsNotServed = ({ unsupported }: Tried, { detail }: PeerRefused): ReadonlyArray<Finding> =>
  unsupported.columns + 1 === stillStarting
    ? [{ kind: "columns_not_served", detail: `asked ${stillStarting} times in a row: ${detail}` }]
    : []
