import { Duration, Effect } from "effect"
import { slotAt, surelyServedFrom } from "../../../src/domain/network/Chain.ts"
import type { Event } from "../../../src/domain/Event.ts"
import type { PeerView } from "../../../src/domain/peer/PeerView.ts"
import type { Verdict } from "../../../src/domain/peer/Verdict.ts"
import type { Outcome } from "../../../src/domain/probe/Job.ts"
import { blameOf } from "../../../src/domain/probe/Outcome.ts"
import type { ProbeResult } from "../../../src/probe/Prober.ts"
import { confirmAfter } from "./Defaults.ts"
import type { Member } from "./Member.ts"
import type { SimulatedPeer } from "./Peer.ts"
import type { TrueChain } from "./TrueChain.ts"

/** What the monitor came to of one peer; moments are milliseconds since the simulation began. */
export interface Observed {
  readonly member: Member
  readonly peerId: string
  readonly agent: string
  readonly conducts: ReadonlyArray<string>
  combinations: number
  /** Probes that sampled. */
  samples: number
  /** Outcomes that were blamed on it, the first of them. */
  accused: number
  firstAccused: (Pick<Outcome, "slot" | "column" | "outcome" | "reason"> & { readonly at: number }) | undefined
  /** When it was called so for the first time. */
  readonly verdicts: Map<Verdict, number>
  /** The first conversation in which anything was left out, and how many samples it took. */
  firstHit: { readonly at: number; readonly samples: number } | undefined
  /** The first moment at which it could be asked for the second time, both times about something that is final. */
  canBeAccusedFrom: number
  /** Between two conversations. */
  readonly turnMs: number
  /** How long the fleet was watched. */
  watchedMs: number
  /** At the end. */
  verdict: Verdict | "not tracked"
  findings: PeerView["findings"]
}

export const makeObserver = (truth: TrueChain, startedAt: number, turnMs: number) => {
  const observed = new Map<string, Observed>()
  const since = (): number => truth.now() - startedAt

  const hear = ({ probe }: ProbeResult): void => {
    const peer = observed.get(probe.job.peerId)
    if (peer === undefined) return
    const isSample = probe.purpose === "sampling"
    if (isSample) peer.samples++
    peer.combinations += probe.outcomes.length
    for (const one of probe.outcomes) {
      const isBlamed = blameOf[one.outcome] === "peer"
      if (isBlamed) {
        const { column, outcome, slot } = one
        peer.accused++
        peer.firstAccused ??= { slot, column, outcome, at: since(), reason: one.reason }
      }
      if (!isBlamed && one.outcome !== "suspected") continue
      peer.firstHit ??= { at: since(), samples: peer.samples }
      const from = Math.max(since(), truth.finalFrom(one.slot) - startedAt) + Duration.toMillis(confirmAfter)
      // Nobody can be asked then for what nobody has to keep any more.
      if (one.slot < surelyServedFrom(truth.parameters, slotAt(truth.parameters, startedAt + from + 2 * turnMs)))
        continue
      peer.canBeAccusedFrom = Math.min(peer.canBeAccusedFrom, from)
    }
  }

  const told = (event: Event): void => {
    if (event._tag !== "NodeTracking") return
    const peer = observed.get(event.peerId)
    if (peer !== undefined && !peer.verdicts.has(event.peer.verdict)) peer.verdicts.set(event.peer.verdict, since())
  }

  return {
    add: (peerId: string, member: Member, { agent, conducts }: SimulatedPeer): void => {
      observed.set(peerId, {
        member,
        peerId,
        agent,
        conducts,
        combinations: 0,
        samples: 0,
        accused: 0,
        firstAccused: undefined,
        verdicts: new Map(),
        firstHit: undefined,
        canBeAccusedFrom: Infinity,
        turnMs,
        watchedMs: 0,
        verdict: "not tracked",
        findings: {}
      })
    },
    hear,
    told,
    /** Whether it is a liar that was found to be one. */
    isFoundOut: (peerId: string): boolean => {
      const peer = observed.get(peerId)
      return peer?.member.kind === "liar" && foundAt(peer) !== undefined
    },
    end: (views: ReadonlyArray<PeerView>) =>
      Effect.sync(() => {
        for (const { findings, peerId, verdict } of views) {
          const peer = observed.get(peerId)
          if (peer === undefined) continue
          peer.watchedMs = since()
          peer.verdict = verdict
          peer.findings = findings
        }
      }),
    all: (): ReadonlyArray<Observed> => [...observed.values()]
  }
}

/** When a peer was first called a liar. */
export const foundAt = ({ verdicts }: Observed): number | undefined => {
  const found = [verdicts.get("violating"), verdicts.get("evasive")].filter((at) => at !== undefined)
  return found.length === 0 ? undefined : Math.min(...found)
}
