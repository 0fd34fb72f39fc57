import { type Duration, Either } from "effect"
import { makeConfig } from "../../../src/config/DecodeConfig.ts"
import * as ConfiguredParts from "../../../src/ConfiguredParts.ts"
import type { PeersOptions } from "../../../src/peers/Peers.ts"

/** What the program does without a configuration: what is measured is what is run. */
const defaults = Either.getOrThrow(makeConfig({}))

export const confirmAfter = defaults.confirmAfter

export const samplerOptions = ConfiguredParts.samplerOptions(defaults)

/**
 * `testInterval`: between two conversations with one peer; the program's is ten seconds. Bytes are not limited: they are
 * what a real network is spared, and hours here stand for days.
 */
export const peersOptions = (testInterval: Duration.Duration): PeersOptions => ({
  ...ConfiguredParts.peersOptions(defaults),
  testInterval,
  dailyBytes: Infinity
})
