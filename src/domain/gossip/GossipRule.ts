/**
 * What decided on a column that came by gossip, and the verdict that follows: the rules of data_column_sidecar_{subnet_id}
 * (fulu/p2p-interface.md, gloas/p2p-interface.md) by their own order, and what kept us from checking one of them.
 */
const gossipRules = {
  /** All of them hold. */
  accepted: "accept",
  /** The same column of the same block was accepted before. */
  duplicate: "ignore",
  /** Of a slot that has not come, more than clocks are apart. */
  future_slot: "ignore",
  /** Of a slot that is final. */
  finalized_slot: "ignore",
  /** On the topic of another digest than its slot's: near a change that may be a clock's fault. */
  other_digest: "ignore",
  /** Our beacon node does not have the parent, or from Gloas on the block. */
  parent_unknown: "ignore",
  block_unknown: "ignore",
  /** Rules that could not be checked for lack of the beacon node, or of a verifier. */
  signature_unchecked: "ignore",
  proposer_unchecked: "ignore",
  ancestry_unchecked: "ignore",
  kzg_unchecked: "ignore",
  /** Too many wait already, of this peer or of all. */
  crowded: "ignore",
  /** Not decided in time. */
  undecided: "ignore",
  /** Its sender has sent what was wrong before. */
  offender: "ignore",
  structure: "reject",
  wrong_subnet: "reject",
  proposer_index: "reject",
  signature: "reject",
  parent_slot: "reject",
  finalized_ancestor: "reject",
  inclusion_proof: "reject",
  kzg_proof: "reject",
  wrong_proposer: "reject",
  /** Gloas: of another slot than its block. */
  block_slot: "reject"
} as const satisfies Record<string, "accept" | "ignore" | "reject">

export type GossipRule = keyof typeof gossipRules

export const gossipRuleNames: ReadonlyArray<GossipRule> = Object.keys(gossipRules).filter(
  (name): name is GossipRule => name in gossipRules
)

/** What was ignored for a while, or as of this sender: another copy of the same message may be accepted. */
export const openRules: ReadonlySet<GossipRule> = new Set<GossipRule>([
  "future_slot",
  "parent_unknown",
  "block_unknown",
  "signature_unchecked",
  "proposer_unchecked",
  "ancestry_unchecked",
  "kzg_unchecked",
  "crowded",
  "undecided",
  "offender"
])

/** Those by which we, or our beacon node, were not able to judge: the column came, and it is our doing if nothing is told of it. */
export const ownRules: ReadonlySet<GossipRule> = new Set(
  [...openRules].filter((rule) => rule !== "future_slot" && rule !== "offender")
)

/** Those by which a column is wrong, whoever looks at it. */
export const faultRules = [
  "structure",
  "wrong_subnet",
  "proposer_index",
  "signature",
  "parent_slot",
  "finalized_ancestor",
  "inclusion_proof",
  "kzg_proof",
  "wrong_proposer",
  "block_slot"
] as const satisfies ReadonlyArray<GossipRule>
export type FaultRule = (typeof faultRules)[number]

export const isFaultRule = (rule: GossipRule): rule is FaultRule => faultRules.some((fault) => fault === rule)

/** A decision, and in a sentence why. */
export interface Ruling {
  readonly rule: GossipRule
  readonly detail: string
  /** What was held against, where it is not in the message. */
  readonly facts?: RulingFacts
}

interface RulingFacts {
  /** Of the validator that the header names. */
  readonly publicKey?: Uint8Array
  /** Of the imported block with this header. */
  readonly blockSignature?: Uint8Array
  /** Of the block, 48 bytes each. */
  readonly commitments?: ReadonlyArray<Uint8Array>
}

export const ruling = (rule: GossipRule, detail: string, facts?: RulingFacts): Ruling =>
  facts === undefined ? { rule, detail } : { rule, detail, facts }
export const verdictOf = ({ rule }: Pick<Ruling, "rule">): "accept" | "ignore" | "reject" => gossipRules[rule]
