import { Clock, Context, Effect, Layer, Option, Stream } from "effect"
import type { BookEntry } from "../discovery/book/BookEntry.ts"
import { neutral, scoreAt } from "../domain/peer/Score.ts"
import {
  bestCandidates,
  type ProviderCandidate,
  type ProvidersView,
  type ProviderView
} from "../domain/peer/Providers.ts"
import { startUptime, type Uptime, upShare, withState } from "../domain/peer/Uptime.ts"
import type { Event } from "../domain/Event.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import { EventBus } from "../events/EventBus.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Peers } from "./Peers.ts"
import { PeerSet } from "./set/PeerSet.ts"

/** How the peers that are relied on (`das_providers`) have been, and who else might be one. */
export class Providers extends Context.Tag("dasmon/Providers")<
  Providers,
  { readonly view: Effect.Effect<ProvidersView> }
>() {
  static readonly layer = (providers: ReadonlyArray<PeerAddress>) => Layer.scoped(Providers, make(providers))
}

const make = Effect.fn("Providers.make")(function* (providers: ReadonlyArray<PeerAddress>) {
  const bus = yield* EventBus
  const peers = yield* Peers
  const peerSet = yield* PeerSet
  const startedAt = yield* Clock.currentTimeMillis
  const watched = new Map<string, Watched>(
    providers.map(({ peerId }) => [peerId, { uptime: startUptime(startedAt), latencies: [] }])
  )

  const hear = (event: Event): void => {
    if (event._tag === "NodeTracking") {
      const one = watched.get(event.peerId)
      if (one !== undefined) one.uptime = withState(one.uptime, event.peer.connected, event.timestamp)
    } else if (event._tag === "Sampling") {
      const { job, timings } = event.probe
      const one = watched.get(job.peerId)
      if (one === undefined || timings.firstByte === null) return
      one.latencies.push(timings.firstByte)
      if (one.latencies.length > mostLatencies) one.latencies.shift()
    }
  }
  if (watched.size > 0) {
    const events = yield* bus.subscribe
    const listening = Stream.runForEach(events, (event) => Effect.sync(() => hear(event)))
    // Whoever was connected before anyone listened is seen to be so.
    for (const [peerId, one] of watched) {
      const isUp = Option.exists(peers.known(peerId), ({ connected }) => connected)
      one.uptime = withState(one.uptime, isUp, yield* Clock.currentTimeMillis)
    }
    yield* daemon("the watch over providers", Effect.zipRight(listening, Effect.never))
  }

  const providerOf = (peerId: string, { latencies, uptime }: Watched, now: number): ProviderView => {
    const view = Option.getOrUndefined(peers.view(peerId))
    return {
      peerId,
      agent: view?.agent ?? null,
      address: view?.address ?? null,
      connected: view?.connected ?? false,
      uptime: Math.round(upShare(uptime, now) * 10_000) / 10_000,
      losses: uptime.losses,
      latencyMs: medianOf(latencies),
      score: view?.score ?? neutral,
      verdict: view?.verdict ?? "unknown",
      columns: view?.custody?.columns.length ?? null,
      lastFailure: view?.lastFailure ?? null
    }
  }

  const candidateOf = (
    { agent, enr, multiaddrs, peerId, reachedAt, score }: BookEntry,
    now: number
  ): ProviderCandidate => {
    const known = peers.known(peerId)
    const [multiaddr] = multiaddrs
    return {
      peerId,
      agent: Option.getOrNull(agent),
      name: Option.getOrElse(enr, () => (multiaddr === undefined ? null : `${multiaddr}/p2p/${peerId}`)),
      connected: Option.exists(known, ({ connected }) => connected),
      score: Option.match(known, { onNone: () => scoreAt(score, now), onSome: ({ score }) => score.value }),
      reachedAt: Option.getOrNull(reachedAt)
    }
  }

  return Providers.of({
    view: Effect.map(Clock.currentTimeMillis, (now) => ({
      providers: Array.from(watched, ([peerId, one]) => providerOf(peerId, one, now)),
      candidates: bestCandidates(
        peerSet
          .supernodes()
          .filter(({ peerId }) => !watched.has(peerId))
          .map((entry) => candidateOf(entry, now))
      )
    }))
  })
})

interface Watched {
  uptime: Uptime
  /** Of the last probes, milliseconds, in their order. */
  readonly latencies: Array<number>
}

const medianOf = (values: ReadonlyArray<number>): number | null => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? null
}

const mostLatencies = 32
