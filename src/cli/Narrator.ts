import { Duration, Effect, Layer, Schedule } from "effect"
import { Dasmon } from "../Dasmon.ts"
import type { Event } from "../domain/Event.ts"
import { blameOf } from "../domain/probe/Outcome.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { Status } from "../domain/Status.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Verdict } from "../domain/peer/Verdict.ts"
import { makeSlotLines } from "./SlotLines.ts"
import { clock, tellEvents } from "./TellEvents.ts"

export interface NarratorOptions {
  /** What is printed behind a peer, such as the devnet's own word for it; empty for nothing. */
  readonly note: (peerId: string) => string
  readonly print: (line: string) => Effect.Effect<void>
  /** Whether a line is told of each slot: of a real network that would be all that one sees. */
  readonly everySlot: boolean
  /** Between two summaries. */
  readonly summaryInterval: Duration.Duration
}

/**
 * Tells a person what is found, a line each: the first suspicion, and the first of every kind of failure and finding, of a
 * peer, what recovers, every change of verdict, every block that is not available, and a summary every so often. What repeats is in the API and in the history.
 */
export const layer = (options: NarratorOptions): Layer.Layer<never, never, Dasmon> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const dasmon = yield* Dasmon
      const snapshot = yield* dasmon.snapshot
      const agents = new Map(snapshot.peers.map((peer) => [peer.peerId, peer.agent]))
      const told = new Set<string>()
      const slotLines = makeSlotLines(options.everySlot)

      const tell = Effect.fnUntraced(function* (event: Event) {
        if (event._tag === "NodeTracking") {
          if (event.change === "forgotten") agents.delete(event.peerId)
          else agents.set(event.peerId, event.peer.agent)
        }
        for (const line of slotLines(event)) yield* options.print(`${clock(event.timestamp)}  ${line}`)
        const news = newsOf(event).filter(({ key }) => !told.has(key))
        if (told.size > mostTold) told.clear()
        for (const { key, label, peerId, text } of news) {
          told.add(key)
          const note = options.note(peerId)
          yield* options.print(
            [
              clock(event.timestamp),
              label.padEnd(labelWidth),
              peerName(peerId, agents.get(peerId) ?? null).padEnd(nameWidth),
              text,
              ...(note === "" ? [] : [`[${note}]`])
            ].join("  ")
          )
        }
      })

      yield* tellEvents("telling of what is found", snapshot.sequence, tell)
    })
  ).pipe(Layer.merge(summaries(options)))

/** Only the summaries. */
export const summaries = (
  options: Pick<NarratorOptions, "print" | "summaryInterval">
): Layer.Layer<never, never, Dasmon> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const dasmon = yield* Dasmon
      const first = yield* Effect.once(Effect.sleep(options.summaryInterval))
      const summarise = Effect.flatMap(dasmon.snapshot, ({ peers, status }) =>
        options.print(`${summaryOf(peers)}${groundTruth(status)}`)
      )
      yield* daemon("summaries", Effect.zipRight(first, summarise), Schedule.spaced(options.summaryInterval))
    })
  )

/** How many peers came to each verdict. */
const summaryOf = (peers: ReadonlyArray<PeerView>): string => {
  const counts = Verdict.literals.map((verdict) => ({
    verdict,
    count: peers.filter((peer) => peer.verdict === verdict).length
  }))
  const tested = peers.reduce((sum, { outcomes }) => sum + outcomes.success, 0)
  const said = counts.filter(({ count }) => count > 0).map(({ count, verdict }) => `${count} ${verdict}`)
  const suspicions = peers.reduce((sum, peer) => sum + peer.suspicions, 0)
  const suspected = suspicions === 0 ? "" : `, ${suspicions} suspected`
  return `── ${peers.length} peers: ${said.join(", ")}; ${tested} columns verified${suspected}`
}

/** How far the window is filled, for as long as it is being filled. */
const groundTruth = ({ backfill, commitments: { known, wanted } }: Status): string => {
  const { secondsLeft, stage } = backfill
  if ((stage !== "restoring" && stage !== "filling") || wanted === 0) return ""
  const share = Math.floor((100 * known) / wanted)
  const left = secondsLeft === null ? "" : `, about ${Duration.format(Duration.seconds(roundedUp(secondsLeft)))} left`
  const doing = stage === "restoring" ? "ground truth read from disk" : "ground truth"
  return `; ${doing}: ${share}% (${known} of ${wanted} slots${left})`
}

/** To ten seconds below two minutes, to minutes above. */
const roundedUp = (seconds: number): number =>
  Math.ceil(seconds / (seconds < 120 ? 10 : 60)) * (seconds < 120 ? 10 : 60)

interface News {
  /** Told once. */
  readonly key: string
  readonly peerId: string
  readonly label: string
  readonly text: string
}

const newsOf = (event: Event): ReadonlyArray<News> => {
  switch (event._tag) {
    case "Sampling": {
      const { findings, id, job, outcomes, recovered } = event.probe
      const { peerId } = job
      return [
        ...outcomes
          .filter(({ outcome }) => blameOf[outcome] === "peer")
          .map(({ check, outcome, reason }) => ({
            key: `${peerId} ${outcome} ${check ?? ""}`,
            peerId,
            label: check === undefined ? outcome : `${outcome} ${check}`,
            text: reason ?? ""
          }))
          .filter(({ key }, index, all) => all.findIndex((other) => other.key === key) === index),
        ...outcomes
          .filter(({ outcome }) => outcome === "suspected")
          .slice(0, 1)
          .map(({ outcome, reason = "" }) => ({
            key: `${peerId} ${outcome}`,
            peerId,
            label: outcome,
            text: reason.replace(/^suspected \((\w+)\)/, "$1")
          })),
        ...(recovered === 0
          ? []
          : [
              {
                key: `${peerId} recovered ${id}`,
                peerId,
                label: "recovered",
                text: `${recovered} ${recovered === 1 ? "column" : "columns"} that had failed came now, verified`
              }
            ]),
        ...findings.map(({ detail, kind }) => ({
          key: `${peerId} ${kind}`,
          peerId,
          label: "finding",
          text: `${kind}: ${detail}`
        }))
      ]
    }
    case "CustodyUpdate":
      return event.findings.map(({ detail, kind }) => ({
        key: `${event.peerId} ${kind}`,
        peerId: event.peerId,
        label: "finding",
        text: `${kind}: ${detail}`
      }))
    case "NodeTracking":
      return event.change === "verdict"
        ? [
            {
              key: `${event.peerId} ${event.sequence}`,
              peerId: event.peerId,
              label: event.peer.verdict.toUpperCase(),
              text: verdictText(event.peer)
            }
          ]
        : []
    case "ScanProgress":
      return event.step.stage === "finished"
        ? [{ key: event.scanId, peerId: event.peerId, label: `scan ${event.verdict ?? ""}`, text: event.step.detail }]
        : []
    case "SystemSnapshot":
    case "ColumnArrival":
    case "MatrixProgress":
    case "SlotAvailability":
    case "GossipFault":
      return []
  }
}

const verdictText = ({ lastFailure, outcomes, verdict }: PeerView): string => {
  // What is blamed on a peer has just been told in a line of its own.
  if (verdict === "violating") return "as just told"
  if (verdict === "evasive") return "it escapes the questions that would settle what it left out"
  return lastFailure ?? `${outcomes.success} columns verified`
}

/** The client's name and the end of the peer id, which is the part that differs. */
const peerName = (peerId: string, agent: string | null): string =>
  `${(agent ?? "unknown").split("/")[0]?.slice(0, 12) ?? ""} …${peerId.slice(-6)}`

const labelWidth = 22
const nameWidth = 20
/** Bounds the memory of what was told; beyond it things are told again. */
const mostTold = 100_000
