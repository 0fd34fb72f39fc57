import { Schema } from "effect"

/**
 * What the outcomes of the last days (`verdict_window`) say of a peer.
 *
 * `violating`: something it was blamed for in the window is not delivered since. `evasive`: it answers what it has, and
 * escapes the questions that would settle what it leaves out (`isEvasive`).
 */
export const Verdict = Schema.Literal("compliant", "violating", "evasive", "unresponsive", "refusing", "unknown")
export type Verdict = typeof Verdict.Type

/**
 * How a peer's probes went as conversations, one count a probe, dials and handshakes that failed included. It is what
 * tells a peer that answers from one that does not: a stalled answer can still hold columns that verify.
 */
export const ConversationCounts = Schema.Struct({
  answered: Schema.Int,
  /** Timeouts and lost connections. */
  unanswered: Schema.Int,
  refused: Schema.Int
})
export type ConversationCounts = typeof ConversationCounts.Type

/** How one conversation with a peer went. */
export const Conversation = Schema.Literal("answered", "unanswered", "refused").annotations({
  identifier: "Conversation"
})
export type Conversation = typeof Conversation.Type

export const noConversations: ConversationCounts = { answered: 0, unanswered: 0, refused: 0 }

/** Conversations that a verdict goes by, at most: about the last two dozen, older ones counting less and less. */
const remembered = 32

/** Forgets half of everything, as often as it takes: a peer that was away for a week is not `unresponsive` for another. */
export const recentConversations = (counts: ConversationCounts): ConversationCounts =>
  counts.answered + counts.unanswered + counts.refused <= remembered
    ? counts
    : recentConversations({
        answered: Math.floor(counts.answered / 2),
        unanswered: Math.floor(counts.unanswered / 2),
        refused: Math.floor(counts.refused / 2)
      })

/** `counts` with one more conversation, the oldest forgotten. */
export const addConversation = (counts: ConversationCounts, kind: Conversation): ConversationCounts =>
  recentConversations({ ...counts, [kind]: counts[kind] + 1 })

/** What a verdict follows from. */
export interface Grounds {
  /** Whether anything was ever delivered and verified. */
  readonly hasDelivered: boolean
  /** Combinations that failed in the window and were not delivered since. */
  readonly failing: number
  readonly isEvasive: boolean
  readonly conversations: ConversationCounts
}

/**
 * One combination that fails is enough for `violating`, and nothing else makes a peer that. Else the commonest way in
 * which its conversations went decides; an answer wins a tie. One conversation without an answer may be anything, two
 * are `unresponsive`.
 */
export const verdictOf = ({ conversations, failing, hasDelivered, isEvasive }: Grounds): Verdict => {
  if (failing > 0) return "violating"
  if (isEvasive) return "evasive"
  const { answered, refused, unanswered } = conversations
  if (answered > 0 && answered >= Math.max(refused, unanswered)) return hasDelivered ? "compliant" : "unknown"
  if (refused > 0 && refused >= unanswered) return "refusing"
  return unanswered > 1 ? "unresponsive" : "unknown"
}
