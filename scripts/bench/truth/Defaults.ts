import { Duration } from "effect"
import type { PeersOptions } from "../../../src/peers/Peers.ts"
import type { SamplerOptions } from "../../../src/sampler/Sampler.ts"

/** The defaults of the program. */
export const confirmAfter = Duration.minutes(10)

export const samplerOptions: SamplerOptions = {
  maxColumns: 16,
  maxSlots: 32,
  maxCombinations: 512,
  slotBias: "uniform",
  preferUntested: true,
  retryFailures: true,
  retryAfter: Duration.hours(24),
  historyWindow: Duration.days(18),
  blockFilter: (headSlot) => ({ start: 0, end: headSlot }),
  margins: { headSlots: 8, retentionEpochs: 2 }
}

/** `testInterval`: between two conversations with one peer; the program's is ten seconds. */
export const peersOptions = (testInterval: Duration.Duration): PeersOptions => ({
  addresses: [],
  allows: () => true,
  testInterval,
  refreshInterval: Duration.seconds(10),
  grace: Duration.minutes(5),
  confirmAfter,
  verdictWindow: Duration.days(7),
  maxPeers: 10_000
})
