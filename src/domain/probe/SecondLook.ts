/** What comes of one look at a peer by a second identity of the monitor. */
export const lookResults = [
  /** Both were told, and given, the same. */
  "agreed",
  /** The peer answers by who asks, and did so again when both were asked once more: the finding `serves_by_asker`. */
  "disagreed",
  /** They were not, and that passed, or could not be asked again. */
  "unconfirmed",
  /** It was so again, at too many peers at once: likelier the second identity's own trouble. */
  "doubted",
  /** The second identity was turned away. */
  "refused",
  /** It could not dial the peer. */
  "unreached",
  /** It was not answered, or not so that anything follows from it. */
  "unanswered",
  /** Something of ours stood in the way. */
  "ours"
] as const
export type LookResult = (typeof lookResults)[number]
