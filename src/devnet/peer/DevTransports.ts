import { Effect, Either } from "effect"
import type { Transport } from "../../domain/peer/Transport.ts"
import { loadQuic } from "../../wire/quic/LoadQuic.ts"
import { seeded } from "../chain/Random.ts"

/** On what a peer of the devnet listens. */
export type DevTransports = ReadonlyArray<Transport>

/** The transport that every peer of a devnet is on, and no other; `mixed` gives each its own. */
export type TransportChoice = Transport | "mixed"

/** By the seed, half of the peers are on both transports, and the others on one; on TCP, where QUIC cannot be used. */
export const transportsAt = (choice: TransportChoice, seed: number, index: number): Effect.Effect<DevTransports> =>
  Effect.map(Effect.either(loadQuic), (quic) => {
    if (Either.isLeft(quic)) return ["tcp"]
    return choice === "mixed" ? (mixture[seeded(seed, "transports", index).below(mixture.length)] ?? both) : [choice]
  })

const both: DevTransports = ["quic", "tcp"]
const mixture: ReadonlyArray<DevTransports> = [both, both, ["quic"], ["tcp"]]

/** A free port of 127.0.0.1 for each. */
export const listenOn = (transports: DevTransports): ReadonlyArray<string> =>
  transports.map((transport) => (transport === "quic" ? "/ip4/127.0.0.1/udp/0/quic-v1" : "/ip4/127.0.0.1/tcp/0"))
