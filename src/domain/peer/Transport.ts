import { Schema } from "effect"

/** By what a peer is spoken to. QUIC comes first, and TCP where there is no way by QUIC (phase0/p2p-interface.md). */
export const Transport = Schema.Literal("quic", "tcp")
export type Transport = typeof Transport.Type

/** The transport of a multiaddr, with or without `/p2p/…`. */
export const transportOf = (multiaddr: string): Transport => (/\/quic-v1(\/|$)/i.test(multiaddr) ? "quic" : "tcp")
