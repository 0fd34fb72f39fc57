import { Dasmon, makeConfig } from "dasmon"
import { Standalone } from "dasmon/host"
import { Console, Effect, Layer, Stream } from "effect"

/** Prints every combination that a peer owes and does not have. */
export const watch = (beaconApi: string, peers: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const config = yield* makeConfig({ databasePath: "custody.db", testInterval: "30s", peers })
    const host = Standalone.layer({ url: beaconApi, version: "my-host" })
    yield* Effect.flatMap(Dasmon, ({ events }) =>
      events.of("Sampling").pipe(
        Stream.mapConcat(({ probe }) => probe.outcomes.map((outcome) => ({ peer: probe.job.peerId, ...outcome }))),
        Stream.filter(({ outcome }) => outcome === "missing"),
        Stream.runForEach(({ column, peer, slot }) => Console.log(`${peer} lacks column ${column} of slot ${slot}`))
      )
    ).pipe(Effect.provide(Dasmon.layer(config).pipe(Layer.provide(host))))
  })
