import type { Muxer } from "../../wire/Node.ts"

/** How one of the client implementations appears on the network. */
export interface Agent {
  /** The agent string of identify. */
  readonly text: string
  readonly muxers: ReadonlyArray<Muxer>
  /** Whether a request below its earliest available slot gets code 3; the others leave out what they lack. */
  readonly strict: boolean
}

const both: ReadonlyArray<Muxer> = ["yamux", "mplex"]

const agents = {
  lighthouse: { text: "Lighthouse/v8.0.1-ced49dd/x86_64-linux", muxers: both, strict: true },
  prysm: { text: "Prysm/v7.0.0/0b6ea5b6c4e3b5a2a7ef1d4e8b2b6d7e5f7a9c01", muxers: both, strict: false },
  teku: {
    text: "teku/v25.11.0/linux-x86_64/-eclipseadoptium-openjdk64bitservervm-java-21",
    muxers: both,
    strict: false
  },
  nimbus: { text: "nimbus", muxers: both, strict: true },
  lodestar: { text: "lodestar/v1.36.0/3b0a2ed", muxers: ["mplex"], strict: false },
  grandine: { text: "Grandine/2.0.0-2e1c9f7/x86_64-linux", muxers: ["yamux"], strict: false }
} satisfies Readonly<Record<string, Agent>>

/** Only what is a Caplin anyway: the others keep their places. */
const caplin: Agent = { text: "erigon/caplin/3.3.0", muxers: both, strict: false }

/** One of the client implementations. */
export type Client = keyof typeof agents | "caplin"

/** The agent of the peer at this place in the devnet: the clients take turns, unless the peer is one of them anyway. */
export const agentAt = (index: number, client?: Client): Agent => {
  const all: ReadonlyArray<Agent> = Object.values(agents)
  if (client === "caplin") return caplin
  return client === undefined ? (all[index % all.length] ?? agents.lighthouse) : agents[client]
}
