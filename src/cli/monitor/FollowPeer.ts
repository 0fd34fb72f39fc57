import { Effect, Layer } from "effect"
import type { Dasmon } from "../../Dasmon.ts"
import type { Event } from "../../domain/Event.ts"
import type { ProbePurpose } from "../../domain/probe/Job.ts"
import { countOutcomes, outcomeKinds } from "../../domain/probe/Outcome.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import { clock, tellEvents } from "../TellEvents.ts"

/** Tells a person everything that happens with one peer, a line each: comings and goings, claims, every probe. */
export const layer = (
  peerId: PeerId,
  print: (line: string) => Effect.Effect<void>
): Layer.Layer<never, never, Dasmon> =>
  Layer.scopedDiscard(
    tellEvents("telling of one peer", 0, (event) =>
      Effect.forEach(linesOf(event, peerId), (text) => print(`${clock(event.timestamp)}  ${text}`), { discard: true })
    )
  )

/** What is told of an event; nothing of what is about somebody else. */
export const linesOf = (event: Event, peerId: PeerId): ReadonlyArray<string> => {
  switch (event._tag) {
    case "NodeTracking":
      if (event.peerId !== peerId || event.change === "tracked") return []
      return [`${event.change.padEnd(labelWidth)}  ${event.detail}`]
    case "CustodyUpdate": {
      if (event.peerId !== peerId) return []
      const { columns, custodyGroupCount, earliestAvailableSlot, headSlot } = event.claim
      const shown = columns.length > mostColumns ? `${columns.length} columns` : `columns ${columns.join(" ")}`
      return [
        `${"claims".padEnd(labelWidth)}  ${custodyGroupCount} groups, ${shown}, from slot ${earliestAvailableSlot ?? "(it does not say)"} to ${headSlot}`,
        ...event.findings.map(({ detail, kind }) => `${"finding".padEnd(labelWidth)}  ${kind}: ${detail}`)
      ]
    }
    case "Sampling": {
      const { findings, job, outcomes, purpose, timings } = event.probe
      if (job.peerId !== peerId) return []
      const counts = countOutcomes(outcomes)
      const came = outcomeKinds.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${kind}`)
      const failed = outcomes.find(({ outcome }) => outcome !== "success")
      const label = labels[purpose]
      const where =
        job.count === 1 ? `slot ${job.startSlot}` : `slots ${job.startSlot} to ${job.startSlot + job.count - 1}`
      return [
        `${label.padEnd(labelWidth)}  ${where}, ${job.columns.length} columns: ${came.join(", ") || event.conversation} in ${timings.total} ms`,
        ...(failed?.reason === undefined ? [] : [`${"".padEnd(labelWidth)}  ${failed.reason}`]),
        ...findings.map(({ detail, kind }) => `${"finding".padEnd(labelWidth)}  ${kind}: ${detail}`)
      ]
    }
    case "ScanProgress":
    case "SystemSnapshot":
    case "ColumnArrival":
    case "MatrixProgress":
    case "SlotAvailability":
    case "GossipFault":
      return []
  }
}

const labels: Readonly<Record<ProbePurpose, string>> = {
  sampling: "asked",
  confirmation: "asked again",
  availability: "sampled",
  retrieval: "fetched"
}
const labelWidth = 12
const mostColumns = 16
