import { Schema } from "effect"
import { blameOf, type OutcomeCounts, outcomeKinds } from "../probe/Outcome.ts"

/** What the outcomes say of a peer. */
export const Verdict = Schema.Literal("compliant", "violating", "unresponsive", "refusing", "unknown")
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

/**
 * One blamed outcome is enough for `violating`, and nothing else makes a peer that. Otherwise the commonest way in
 * which its conversations went decides; an answer wins a tie. One conversation without an answer may be anything, two
 * are `unresponsive`.
 */
export const verdictOf = (outcomes: OutcomeCounts, conversations: ConversationCounts): Verdict => {
  if (outcomeKinds.some((kind) => blameOf[kind] === "peer" && outcomes[kind] > 0)) return "violating"
  const { answered, refused, unanswered } = conversations
  if (answered > 0 && answered >= Math.max(refused, unanswered)) return outcomes.success > 0 ? "compliant" : "unknown"
  if (refused > 0 && refused >= unanswered) return "refusing"
  return unanswered > 1 ? "unresponsive" : "unknown"
}
