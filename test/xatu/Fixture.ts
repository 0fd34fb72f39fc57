import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Duration, Effect, Either, Exit, Layer, Option, Scope } from "effect"
import type { ConfigInput } from "../../src/config/Config.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import type { XatuConfig } from "../../src/config/XatuConfig.ts"
import type { Outcome, Probe } from "../../src/domain/probe/Job.ts"
import * as Xatu from "../../src/xatu/Xatu.ts"
import { type FakeDasmon, probeOf } from "../http/FakeDasmon.ts"
import type { ServerEvent, XatuServer } from "./shipping/XatuServer.ts"

export const peerA = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"
export const peerB = "16Uiu2HAkzdsR6NDpGBTbzYiCpV6Cxp6jcB9jnrTnBEXUgXtLGmRz"
export const root = `0x${"ab".repeat(32)}`

export const outcomeOf = (part: Partial<Outcome>): Outcome => ({
  slot: 1000,
  column: 3,
  outcome: "success",
  blockRoot: root,
  blobs: 6,
  ...part
})

/** A probe of so many slots from `slot`, one column each. */
export const probeOfSlots = (slot: number, count: number, peerId = peerA): Probe =>
  probeOf(peerId, { outcomes: Array.from({ length: count }, (_, index) => outcomeOf({ slot: slot + index })) })

const quick = { first: Duration.millis(10), most: Duration.millis(50), denied: Duration.millis(50) }

type XatuInput = NonNullable<ConfigInput["xatu"]>

export const xatuConfig = (input: XatuInput, part: Partial<XatuConfig> = {}): XatuConfig => {
  const { xatu } = Either.getOrThrow(makeConfig({ xatu: { flushInterval: "100ms", ...input } }))
  if (xatu === undefined) throw new Error("no xatu")
  return { ...xatu, ...part }
}

/** Runs the shipping until it is closed; closing it is like the end of the program. */
export const startXatu = (fake: FakeDasmon, config: XatuConfig, spillFolder: string) =>
  Effect.gen(function* () {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    yield* Layer.buildWithScope(
      Xatu.layer(config, { version: "1.2.3", spillFolder, pace: quick }).pipe(Layer.provide(fake.layer)),
      scope
    )
    return { close: Scope.close(scope, Exit.void) }
  })

export const tempFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-xatu-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

export const eventsOf = (server: XatuServer): ReadonlyArray<ServerEvent> =>
  server.batches.flatMap(({ events }) => events)

/** Slots of the custody probes that the server took, in the order in which they came. */
export const slotsOf = (server: XatuServer): ReadonlyArray<number> =>
  eventsOf(server).flatMap((event) => {
    const probe = event.libp2p_trace_rpc_data_column_custody_probe
    return probe === undefined ? [] : [Number(probe.slot.value ?? 0)]
  })

/** A key and a certificate for localhost that signs itself; none without the program that makes them. */
export const selfSigned = (): Option.Option<{ readonly key: Buffer; readonly cert: Buffer }> => {
  const folder = mkdtempSync(join(tmpdir(), "dasmon-tls-"))
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")]
    execFileSync(
      "openssl",
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"].concat([
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-keyout",
        key,
        "-out",
        cert
      ]),
      { stdio: "ignore" }
    )
    return Option.some({ key: readFileSync(key), cert: readFileSync(cert) })
  } catch {
    return Option.none()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
