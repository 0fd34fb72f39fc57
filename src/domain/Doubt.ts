/**
 * What the monitor can have reason not to trust in itself, or in its beacon node; at most one sentence each
 * (`runtime/Doubts`).
 */
export const doubtKinds = [
  /** The clock of this machine. */
  "clock",
  /** The network's parameters as the beacon node says them. */
  "beacon_config",
  /** The beacon nodes, of which none can be used. */
  "beacon_node",
  /** The chain: two beacon nodes have finalized different blocks. */
  "beacon_finality",
  /** Our fork digest: the peers, nearly all of them, have another one. */
  "fork_digest",
  /** The head, which does not follow the clock. */
  "head",
  /** Ground truth, of which a good part is lacking. */
  "commitments",
  /** The accusations of this moment, which are too many at once. */
  "accusations",
  /** Several blocks, which most peers lack or give otherwise than we expect: they were withheld, or we are wrong. */
  "blocks",
  /** The network, which does not finalize. */
  "finality",
  /** The second identity, with which too many peers disagree at once. */
  "second_identity"
] as const
export type DoubtKind = (typeof doubtKinds)[number]

/**
 * While one of these lasts, nothing can be held against a block: all but that peers lack blocks, which is what its sampling
 * is to find out.
 */
export const sparingBlocks: ReadonlyArray<DoubtKind> = doubtKinds.filter((kind) => kind !== "blocks")

/** While one of these lasts, nothing that peers do or say can be held against them: they are neither probed nor sent away. */
export const forbidding: ReadonlyArray<DoubtKind> = [
  "clock",
  "beacon_config",
  "beacon_node",
  "beacon_finality",
  "fork_digest"
]
