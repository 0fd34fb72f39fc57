import { Context, Effect, Layer, Option } from "effect"
import { tileOf, tileStart } from "../../../src/domain/network/Tile.ts"
import type { Outcome, Probe } from "../../../src/domain/probe/Job.ts"
import { Prober, type ProbeResult } from "../../../src/probe/Prober.ts"
import { Sampler, type SamplerOptions } from "../../../src/sampler/Sampler.ts"

/** Rules that the monitor has no more, to see that the simulation finds out what is wrong with them. */
export interface Rules {
  /** A re-test goes to the end of its tile of 32 slots, allowed or not: close to the head, honest peers have nothing yet. */
  readonly retestsWholeTiles: boolean
  /** What one conversation leaves out is held against the peer. */
  readonly accusesAtOnce: boolean
}

export const presentRules: Rules = { retestsWholeTiles: false, accusesAtOnce: false }

/** The sampler under these rules. */
export const samplerUnder = (rules: Rules, options: SamplerOptions) =>
  Layer.map(Sampler.layer(options), (context) =>
    rules.retestsWholeTiles ? Context.make(Sampler, retestingWholeTiles(Context.get(context, Sampler))) : context
  )

/** The prober under these rules; everything that it comes to is told to `hear`. */
export const proberUnder = (rules: Rules, hear: (result: ProbeResult) => void) =>
  Layer.map(Prober.layer, (context) => {
    const prober = Context.get(context, Prober)
    return Context.make(
      Prober,
      Prober.of({
        probe: (request) =>
          prober.probe(request).pipe(
            Effect.map((result) => (rules.accusesAtOnce ? { ...result, probe: accusing(result.probe) } : result)),
            Effect.tap((result) => Effect.sync(() => hear(result)))
          )
      })
    )
  })

const retestingWholeTiles = (sampler: Sampler["Type"]): Sampler["Type"] => {
  const tested = new Map<string, Set<number>>()
  const ofPeer = (peerId: string): Set<number> => {
    const known = tested.get(peerId) ?? new Set<number>()
    tested.set(peerId, known)
    return known
  }
  return Sampler.of({
    ...sampler,
    next: (peerId, claims, ...more) =>
      Effect.map(
        sampler.next(peerId, claims, ...more),
        Option.map((job) =>
          ofPeer(peerId).has(job.startSlot)
            ? { ...job, count: tileStart(tileOf(job.startSlot) + 1) - job.startSlot }
            : job
        )
      ),
    record: (probe) => {
      const slots = ofPeer(probe.job.peerId)
      for (const { slot } of probe.outcomes) slots.add(slot)
      return sampler.record(probe)
    }
  })
}

const accusing = (probe: Probe): Probe => ({
  ...probe,
  outcomes: probe.outcomes.map((one): Outcome =>
    one.outcome === "suspected" &&
    one.suspicion !== undefined &&
    one.suspicion !== "server_error" &&
    one.suspicion !== "unanswered"
      ? { ...one, outcome: one.suspicion }
      : one
  )
})
