import { Duration, Effect, Either, Fiber, Layer, Option, Stream, TestClock } from "effect"
import type { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { ScanReport } from "../../src/domain/scan/ScanReport.ts"
import type { ScanStep } from "../../src/domain/scan/ScanStep.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import { type DialError, Host } from "../../src/host/Host.ts"
import { Identified } from "../../src/host/Identified.ts"
import { ProbeWorkers } from "../../src/probe/ProbeWorkers.ts"
import { SelfDoubt } from "../../src/probe/SelfDoubt.ts"
import { Scanner } from "../../src/scan/Scanner.ts"
import type { ScanOptions } from "../../src/scan/ScanOptions.ts"
import { type Located, Locator } from "../../src/scan/target/Locator.ts"
import { parseTarget } from "../../src/scan/target/Target.ts"
import { encodeUint64 } from "../../src/wire/Handshake.ts"
import { ping } from "../../src/wire/Protocol.ts"
import { layerPunctual } from "../Seeded.ts"
import { layerSeams, makeWorld, peer, type PeerModel, type World } from "../probe/FakeWorld.ts"

/** Every slot has a block with two blobs, from the first epoch that is asked about to the head; 512 is final. */
export const busyWorld = () => makeWorld(new Map(Array.from({ length: 1000 }, (_, index) => [index + 1, 2])))

const target = Either.getOrThrow(parseTarget(`/ip4/127.0.0.1/tcp/9000/p2p/${peer.peerId}`))

const options: ScanOptions = {
  slots: 4,
  only: [],
  columns: "owed",
  confirmAfter: Duration.seconds(15),
  timeLimit: Duration.seconds(90)
}

export interface Over {
  readonly options?: Partial<ScanOptions>
  readonly target?: typeof target
  readonly agent?: string
  readonly connect?: (multiaddrs: ReadonlyArray<string>) => Effect.Effect<void, DialError>
  /** What Ping is answered with. */
  readonly pinged?: Effect.Effect<number>
  readonly protocols?: ReadonlyArray<string>
  readonly located?: ReadonlyArray<Located>
  readonly doubt?: Option.Option<string>
  readonly finalized?: Layer.Layer<CommitmentCache, never, CommitmentCache>
}

/** What a scan was and did. */
export interface Scanned {
  readonly report: ScanReport
  readonly steps: ReadonlyArray<ScanStep["stage"]>
  readonly goodbyes: ReadonlyArray<number>
}

const layerHost = (over: Over, goodbyes: Array<number>) =>
  Layer.effect(
    Host,
    Effect.map(Host, (host) =>
      Host.of({
        ...host,
        connect: ({ multiaddrs, peerId }) =>
          Effect.as(over.connect?.(multiaddrs) ?? Effect.void, {
            peerId,
            address: multiaddrs[0] ?? "",
            agent: Option.some(over.agent ?? "Lighthouse/v8")
          }),
        disconnect: (_, code) => Effect.sync(() => void goodbyes.push(code)),
        request: (peerId, message) =>
          message.protocols[0]?.protocol.id === ping.id
            ? Effect.succeed({
                protocol: ping.id,
                chunks: Stream.fromEffect(
                  Effect.map(over.pinged ?? Effect.succeed(1), (sequence) => ({
                    context: undefined,
                    ssz: encodeUint64(sequence),
                    wireBytes: 8
                  }))
                )
              })
            : host.request(peerId, message)
      })
    )
  )

/** Scans one peer of this world, in as many steps of the test's clock as that takes. */
export const scanPeer = (world: World, model: PeerModel, over: Over = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(1_000_000)
    const goodbyes: Array<number> = []
    const steps: Array<ScanStep["stage"]> = []
    const doubted = over.doubt
    const seams = layerSeams(world, model)
    const layer = Scanner.layer.pipe(
      Layer.provide(
        doubted === undefined
          ? SelfDoubt.layer({ confirmAfter: options.confirmAfter })
          : Layer.mock(SelfDoubt, {
              hear: () => Effect.void,
              reason: Effect.succeed(doubted),
              reasonAt: Effect.succeed(() => doubted),
              publication: Effect.succeed(() => Option.none())
            })
      ),
      Layer.provide([
        layerHost(over, goodbyes),
        Layer.succeed(Identified, Identified.of({ protocolsOf: () => over.protocols ?? [] })),
        Layer.succeed(Locator, Locator.of({ find: () => Effect.succeed(over.located ?? []) })),
        MemoryEvidence.layer(),
        ProbeWorkers.layer(4),
        layerPunctual
      ]),
      Layer.provide(over.finalized ?? Layer.empty),
      Layer.provide(seams)
    )
    const scanning = yield* Effect.flatMap(Scanner, ({ scan }) =>
      scan(over.target ?? target, { ...options, ...over.options }, ({ stage }) =>
        Effect.sync(() => void steps.push(stage))
      )
    ).pipe(Effect.provide(layer), Effect.fork)
    for (let half = 0; half < 400 && Option.isNone(yield* Fiber.poll(scanning)); half++) {
      yield* TestClock.adjust("500 millis")
    }
    const report = yield* Fiber.join(scanning)
    const scanned: Scanned = { report, steps: steps.filter((one, index) => one !== steps[index - 1]), goodbyes }
    return scanned
  })
