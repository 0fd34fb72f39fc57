/** What of gossip is taken in at all. It is asked about every message, but not about copies in the same compression. */
export interface GossipRules {
  /**
   * The bytes that a message of the topic may have once it is decompressed; 0 where none is wanted now. Whatever is
   * above that is dropped before anything of it is inflated, remembered or forwarded.
   */
  readonly mostBytes: (topic: string) => number
  /** How many of the messages that a peer has just sent are looked at: the first of them. All if left out. */
  readonly admits?: (from: string, messages: number) => number
  /** One more copy of a message came, by its id in hex. */
  readonly copied: (topic: string, id: string) => void
}
