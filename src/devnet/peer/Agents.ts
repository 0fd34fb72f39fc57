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

const agents: readonly [Agent, ...ReadonlyArray<Agent>] = [
  { text: "Lighthouse/v8.0.1-ced49dd/x86_64-linux", muxers: both, strict: true },
  { text: "Prysm/v7.0.0/0b6ea5b6c4e3b5a2a7ef1d4e8b2b6d7e5f7a9c01", muxers: both, strict: false },
  { text: "teku/v25.11.0/linux-x86_64/-eclipseadoptium-openjdk64bitservervm-java-21", muxers: both, strict: false },
  { text: "nimbus", muxers: both, strict: true },
  { text: "lodestar/v1.36.0/3b0a2ed", muxers: ["mplex"], strict: false },
  { text: "Grandine/2.0.0-2e1c9f7/x86_64-linux", muxers: ["yamux"], strict: false }
]

/** The agent of the peer at this place in the devnet: the clients take turns. */
export const agentAt = (index: number): Agent => agents[index % agents.length] ?? agents[0]
