import * as FileSystem from "@effect/platform/FileSystem"
import { Console, Duration, Effect, Either, Layer, Option } from "effect"
import { makeConfig } from "../../config/DecodeConfig.ts"
import { Dasmon } from "../../Dasmon.ts"
import * as Standalone from "../../host/Standalone.ts"
import { Daemons } from "../../runtime/Daemon.ts"
import { Doubts } from "../../runtime/Doubts.ts"
import { Locator, nobodyKnows } from "../../scan/target/Locator.ts"
import { parseTarget, type Target } from "../../scan/target/Target.ts"
import { version } from "../../Version.ts"
import type { BeaconChoice } from "../BeaconChoice.ts"
import { wrong } from "../Failure.ts"
import * as FollowPeer from "./FollowPeer.ts"
import { locatorLayer } from "../Locate.ts"
import * as Narrator from "../Narrator.ts"

/** What the command line says. */
export interface MonitorArguments {
  readonly target: string
  readonly db: Option.Option<string>
  readonly confirmAfter: Duration.Duration
}

/** The monitor over one peer, told line by line; it listens nowhere and takes up nobody else. */
export const run = Effect.fn("MonitorPeer.run")(function* (given: MonitorArguments, choice: BeaconChoice) {
  const target = yield* Either.match(parseTarget(given.target), {
    onLeft: ({ reason }) => wrong("monitor", [reason]),
    onRight: Effect.succeed
  })
  const { beaconApi, config: base } = choice
  const { peerId } = target.address
  const peer = yield* peerToDial(target, { beaconApi, database: base.databasePath })
  const fs = yield* FileSystem.FileSystem
  const databasePath = Option.isSome(given.db)
    ? given.db.value
    : `${yield* fs.makeTempDirectoryScoped({ prefix: "dasmon-" })}/dasmon.db`
  const config = yield* makeConfig({
    beaconApi,
    databasePath,
    confirmAfter: `${Duration.toMillis(given.confirmAfter)}ms`,
    nodeFilter: { include: [peerId] },
    peers: [peer]
  })
  const host = Standalone.layer({
    url: beaconApi,
    network: base.network,
    trustBeaconRoots: base.trustBeaconRoots,
    version,
    agent: base.agent,
    listen: [],
    ...(Option.isSome(given.db) ? { identityFile: `${databasePath}.key` } : {})
  })
  yield* Console.log(
    `dasmon: following ${peerId} by ${beaconApi.map((url) => new URL(url).origin).join(", then ")}; ${Option.isSome(given.db) ? `history in ${databasePath}` : "nothing is kept"} (stop with Ctrl-C)`
  )
  const told = Layer.merge(
    FollowPeer.layer(peerId, Console.log),
    Narrator.summaries({ print: Console.log, summaryInterval: Duration.seconds(30) })
  )
  return yield* Layer.launch(
    told.pipe(Layer.provide(Dasmon.layer(config)), Layer.provide(host), Layer.provide([Daemons.layer, Doubts.layer]))
  )
}, Effect.scoped)

/** The text by which the configuration knows the peer; one of which only the id is known is asked after first. */
const peerToDial = Effect.fnUntraced(function* (target: Target, sources: Parameters<typeof locatorLayer>[0]) {
  const { multiaddrs, peerId } = target.address
  const named = (address: string) => `${address}/p2p/${peerId}`
  const [first] = multiaddrs
  if (first !== undefined) return Option.match(target.record, { onNone: () => named(first), onSome: ({ enr }) => enr })
  const found = yield* Effect.flatMap(Locator, ({ find }) => find(peerId)).pipe(Effect.provide(locatorLayer(sources)))
  const place = found.flatMap(({ multiaddrs }) => multiaddrs).at(0)
  return place === undefined
    ? yield* wrong("monitor", [`${peerId}: ${nobodyKnows}: give its ENR or a multiaddr`])
    : named(place)
})
