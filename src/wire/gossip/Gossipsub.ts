import { type GossipSub, type GossipSubComponents, gossipsub, StrictNoSign } from "@libp2p/gossipsub"
import { Either } from "effect"
import { compressSync } from "snappy"
import { bytesToHex } from "@noble/hashes/utils.js"
import { decodeBlock } from "../SnappyBlock.ts"
import { forgettable } from "./Forgettable.ts"
import type { GossipRules } from "./GossipRules.ts"
import { guarded } from "./Guarded.ts"
import { compressedId, messageId } from "./MessageId.ts"

/** Takes nothing: for a node that is on no topic. */
export const noGossip: GossipRules = { mostBytes: () => 0, copied: () => {} }

/**
 * Gossipsub as Ethereum's nodes speak it (phase0/p2p-interface.md, "The gossip domain"): its parameters, unsigned
 * messages, snappy blocks, the message id of Altair; `/meshsub/1.2.0`, `1.1.0` and `1.0.0`. Lighthouse and Grandine ban
 * a peer that speaks none of these.
 *
 * Only a validator that is registered for a topic says whether a message is forwarded: without one, nothing is taken.
 */
export const ethereumGossipsub = (rules: GossipRules): ((components: GossipSubComponents) => GossipSub) => {
  const make = gossipsub({
    globalSignaturePolicy: StrictNoSign,
    fallbackToFloodsub: false,
    floodPublish: false,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    emitSelf: false,
    D: 8,
    Dlo: 6,
    Dhi: 12,
    Dlazy: 6,
    heartbeatInterval: 700,
    fanoutTTL: 60_000,
    mcacheLength: 6,
    mcacheGossip: 3,
    seenTTL: 768_000,
    gossipsubIWantFollowupMs: 12_000,
    idontwantMinDataSize: 1000,
    // The specification's 12 MB are for blocks. Whoever is on column topics alone needs a few sidecars at once, and a
    // stranger fills this much of our memory with each connection.
    maxInboundDataLength: 2 ** 20,
    maxOutboundBufferSize: mostWaiting,
    maxInboundStreams: 2,
    maxOutboundStreams: 2,
    // All topics of a supernode under two fork digests, at some 1.1 KiB each.
    maxTopicBytesPerPeer: 640 * 1024,
    // Many peers may share one address: the devnet does, and so do hosters.
    // Of each identity that was ever here something is kept for so long: by default an hour.
    scoreParams: { IPColocationFactorWeight: 0, retainScore: 60_000 },
    scoreThresholds: { gossipThreshold: -4000, publishThreshold: -8000, graylistThreshold: -16_000 },
    // A copy needs not be inflated: some eight come of each message.
    fastMsgIdFn: ({ data, topic }) => compressedId(topic, data ?? nothing),
    msgIdFn: ({ data, topic }) => messageId(topic, data),
    msgIdToStrFn: bytesToHex,
    dataTransform: {
      inboundTransform: (topic, data) => {
        const most = rules.mostBytes(topic)
        // What is thrown here ends the message as an invalid one; nothing of it is kept.
        if (most === 0) throw new Error("no such topic")
        return Either.getOrThrow(decodeBlock(data, most))
      },
      outboundTransform: (_topic, data) => compressSync(data)
    }
  })
  return (components) => forgettable(guarded(make(components), { ...rules, mostWaiting }))
}

/** Bytes that wait for a peer that is slow to take them in: some ninety columns of 21 blobs. */
const mostWaiting = 2 ** 22

const nothing = new Uint8Array(0)
