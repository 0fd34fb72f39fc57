import { randomUUID } from "node:crypto"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Clock, Duration, Effect, Either, Layer, Metric, Option, Schedule, Stream } from "effect"
import { isLoopback } from "../config/places/ListenAddress.ts"
import { isSecure, sentHeaders, type XatuConfig } from "../config/XatuConfig.ts"
import { Dasmon } from "../Dasmon.ts"
import type { ChainParameters } from "../domain/network/Chain.ts"
import type { Event, Gap } from "../domain/Event.ts"
import * as Metrics from "../domain/metrics/Metrics.ts"
import { daemon } from "../runtime/Daemon.ts"
import { type Backlog, makeBacklog } from "./shipping/Backlog.ts"
import { encodeEvent } from "./event/Codec.ts"
import * as GrpcTransport from "./shipping/GrpcTransport.ts"
import * as HttpTransport from "./shipping/HttpTransport.ts"
import { arrivalEvent } from "./event/ArrivalEvents.ts"
import { claimEvents } from "./event/PeerEvents.ts"
import { makeHeartbeats, type Heartbeats } from "./event/Heartbeats.ts"
import { probeEvents } from "./event/ProbeEvents.ts"
import { defaultPace, makeShipper, type Pace } from "./shipping/Shipper.ts"
import { openSpillFolder } from "./shipping/SpillFolder.ts"
import { Transport } from "./shipping/Transport.ts"
import { XatuError } from "./XatuError.ts"
import type { Sender, XatuEvent } from "./event/XatuEvent.ts"

export interface XatuOptions {
  /** Of this program. */
  readonly version: string
  /** Where events wait that the memory has no room for. Of this monitor alone. */
  readonly spillFolder: string
  /** The consensus client that the host is, if it is one. */
  readonly consensus?: { readonly implementation: string; readonly version: string }
  readonly pace?: Pace
}

/**
 * Ships what the engine finds to a Xatu server, each event at least once: it is kept, in memory or on disk, until the
 * server has taken it, and sent again whenever that is not certain. What the limits of both have no room for is dropped,
 * the oldest first. Never slows the engine.
 */
export const layer = (config: XatuConfig, options: XatuOptions): Layer.Layer<never, XatuError, Dasmon> =>
  layerOver(config, options).pipe(Layer.provide(transportOf(config)), Layer.provide(NodeFileSystem.layer))

/** The same over a transport and a file system of the caller's choice. */
export const layerOver = (
  config: XatuConfig,
  options: XatuOptions
): Layer.Layer<never, XatuError, Dasmon | Transport | FileSystem.FileSystem> =>
  Layer.scopedDiscard(make(config, options))

/** The transport that the address names. */
const transportOf = (config: XatuConfig): Layer.Layer<Transport, XatuError, FileSystem.FileSystem> =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const { host, path, port, protocol } = config.address
      const tls = isSecure(config) ? Option.some(yield* trustedBy(config)) : Option.none()
      const headers = sentHeaders(config)
      if (Option.isNone(tls) && Object.keys(headers).length > 0 && !isLoopback(host)) {
        yield* Effect.logWarning("xatu: headers and passwords are sent in plain text: use grpcs:// or https://")
      }
      if (protocol === "grpc") return GrpcTransport.layer({ host, port, tls, headers })
      const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`
      return HttpTransport.layer({ url: `http${Option.isSome(tls) ? "s" : ""}://${authority}${path}`, tls, headers })
    })
  )

const trustedBy = Effect.fnUntraced(function* ({ caFile }: XatuConfig) {
  if (caFile === undefined) return "system" as const
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.mapError(
    fs.readFile(caFile),
    (error) => new XatuError({ reason: `${caFile} cannot be read (xatu.ca_file): ${error.message}` })
  )
})

const make = Effect.fn("Xatu.make")(function* (config: XatuConfig, options: XatuOptions) {
  const dasmon = yield* Dasmon
  const transport = yield* Transport
  const { batchSize } = config
  const sender = senderOf(config, options, dasmon.chain)
  const spill = yield* openSpillFolder(options.spillFolder, config.spillLimitMib * 2 ** 20)
  yield* zero

  // Scopes close in the reverse order: what can be sent is sent, then the last events are taken in and all is written.
  const backlog = yield* makeBacklog(spill, {
    capacity: config.queue,
    batchSize,
    flushInterval: config.flushInterval
  })
  const ship = shipTo(backlog)
  const heartbeats = makeHeartbeats(sender, heartbeatInterval)
  const snapshot = yield* dasmon.snapshot
  const now = yield* Clock.currentTimeMillis
  yield* ship(snapshot.peers.flatMap((peer) => heartbeats.see(peer, now)))
  let last = snapshot.sequence

  const takeIn = (event: Event | Gap) =>
    Effect.gen(function* () {
      if (event._tag === "Gap") return yield* missed(event.to - event.from + 1)
      yield* ship(eventsOf(sender, dasmon.chain, heartbeats, event))
      yield* backlog.showDepth
    }).pipe(
      // Also one at which it dies: that is not taken again.
      Effect.ensuring(Effect.sync(() => void (last = event._tag === "Gap" ? event.to : event.sequence)))
    )
  const takeAll = Stream.runForEach(
    Stream.suspend(() => dasmon.events.since(last)),
    takeIn
  )
  yield* daemon("taking in of what is shipped to Xatu", takeAll)
  const beat = Effect.flatMap(Clock.currentTimeMillis, (now) => ship(heartbeats.due(now)))
  yield* daemon("heartbeats of what is shipped to Xatu", beat, Schedule.spaced(heartbeatTick))
  const catchUp = Effect.gen(function* () {
    const sequence = yield* dasmon.events.sequence
    yield* Effect.suspend(() => (last >= sequence ? Effect.void : Effect.fail("behind"))).pipe(
      Effect.retry(Schedule.spaced("10 millis")),
      Effect.ignore
    )
  }).pipe(Effect.interruptible, Effect.timeoutOption(farewell))
  yield* Effect.addFinalizer(() => catchUp)

  const shipper = yield* makeShipper(transport, backlog, { batchSize, pace: options.pace ?? defaultPace })
  yield* daemon("shipping to Xatu", shipper.run)
  yield* Effect.addFinalizer(() =>
    Effect.zipRight(
      catchUp,
      Effect.unlessEffect(Effect.timeoutOption(Effect.interruptible(backlog.drain), farewell), shipper.isFailing)
    )
  )
})

/** Well within the five minutes at which readers look for one. */
const heartbeatInterval = Duration.seconds(150)
const heartbeatTick = "10 seconds"

/** For each of the things that closing waits for; it waits for the server only if the last batch was taken. */
const farewell = "1 second"

/** Encodes events and offers them. Others get their turn in between: a probe may have hundreds. */
const shipTo = ({ isFull, offer, room }: Backlog) => {
  const told = new Set<string>()
  return Effect.fnUntraced(function* (events: Iterable<XatuEvent>) {
    let count = 0
    for (const event of events) {
      const frame = encodeEvent(event)
      if (Either.isRight(frame)) offer(frame.right)
      else {
        yield* Metric.increment(Metrics.xatuRefused)
        const text = `${event.event.name}: ${frame.left}`
        if (told.size < mostTold && !told.has(text)) {
          told.add(text)
          yield* Effect.logWarning(`xatu: dropped an event that does not fit the schema of Xatu: ${text}`)
        }
      }
      if (isFull()) yield* room
      else if (++count % encodedAtOnce === 0) yield* Effect.yieldNow()
    }
  })
}

/** Events that are encoded before others get their turn: about a millisecond. */
const encodedAtOnce = 16
/** Different reasons that are logged. */
const mostTold = 100

const eventsOf = (
  sender: Sender,
  chain: ChainParameters,
  heartbeats: Heartbeats,
  event: Event
): Iterable<XatuEvent> => {
  switch (event._tag) {
    case "Sampling":
      return probeEvents(sender, chain, event.probe)
    case "CustodyUpdate":
      return claimEvents(sender, event)
    case "ColumnArrival":
      return [arrivalEvent(sender, chain, event)]
    case "NodeTracking":
      return heartbeats.see(
        event.change === "forgotten" ? { ...event.peer, connected: false } : event.peer,
        event.timestamp,
        event.change === "connected"
      )
    case "SystemSnapshot":
    case "ScanProgress":
    case "MatrixProgress":
    case "SlotAvailability":
    case "GossipFault":
      return []
  }
}

const senderOf = (config: XatuConfig, options: XatuOptions, chain: ChainParameters): Sender => {
  const network = config.network ?? chain.network
  const id = networkIds.get(network)
  return {
    name: config.name,
    version: options.version,
    id: randomUUID(),
    implementation: "dasmon",
    os: process.platform,
    ethereum: {
      network: { name: network, ...(id === undefined ? {} : { id }) },
      ...(options.consensus === undefined ? {} : { consensus: options.consensus })
    }
  }
}

/** DEPOSIT_NETWORK_ID of the public networks. */
const networkIds: ReadonlyMap<string, number> = new Map([
  ["mainnet", 1],
  ["sepolia", 11_155_111],
  ["hoodi", 560_048],
  ["gnosis", 100],
  ["chiado", 10_200]
])

const missed = (count: number) =>
  Effect.zipRight(
    Metric.incrementBy(Metrics.xatuMissed, count),
    Effect.logWarning(`xatu: ${count} events are not sent: they came faster than they could be encoded`)
  )

/** Counters are there from the start. */
const zero = Effect.forEach(
  [Metrics.xatuSent, Metrics.xatuRefused, Metrics.xatuDropped, Metrics.xatuMissed],
  (counter) => Metric.incrementBy(counter, 0),
  { discard: true }
)
