import { assert, describe, it } from "@effect/vitest"
import { Either, Option } from "effect"
import { devEnr } from "../../../src/devnet/discv5/DevEnr.ts"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import { makeClaim } from "../../../src/domain/peer/ClaimParts.ts"
import type { Subnets } from "../../../src/domain/peer/Subnets.ts"
import type { Check } from "../../../src/domain/scan/ScanReport.ts"
import { claimChecks } from "../../../src/scan/report/Checks.ts"
import { makeScanLog, type ScanLog } from "../../../src/scan/report/ScanLog.ts"
import { parseTarget } from "../../../src/scan/target/Target.ts"
import {
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  goodbye,
  metadataV3,
  ping,
  statusV2
} from "../../../src/wire/Protocol.ts"
import { statement } from "../../probe/FakeWorld.ts"

const chain = devnetParameters(1, 1000, 0)
const { nodeId, privateKey } = identityOf(1, "somebody")
const noSubnets: Subnets = { attnets: [], syncnets: [] }
const said = { ...statement(7), forkDigest: "0x01020304", subnets: noSubnets }
const enr = (custodyGroupCount: number, forkDigest = "0x01020304") =>
  devEnr(chain, privateKey, { ports: { tcp: 9000 }, epoch: 2, forkDigest, custodyGroupCount }).encodeTxt()
const offered = [statusV2, metadataV3, ping, goodbye, dataColumnSidecarsByRange, dataColumnSidecarsByRoot].map(
  ({ id }) => id
)

const checksOf = (record: string, change: (log: ScanLog) => void = () => {}, parts = said) => {
  const log = makeScanLog(Either.getOrThrow(parseTarget(record)), 0)
  log.statement = Option.some(parts)
  log.ours = { forkDigests: ["0x01020304"], headSlot: 1000, finalizedEpoch: 29 }
  log.finality = Option.some({ upTo: 900, ours: 900, agreement: "ours" })
  log.subscribed = Option.some(Array.from({ length: 128 }, (_, column) => column))
  log.pings.push({ ms: 5, sequenceNumber: 1, error: null })
  log.connection = Option.some({
    peer: { peerId: log.target.address.peerId, address: "", agent: Option.none() },
    dialMs: 1,
    protocols: ["/meshsub/1.2.0", ...offered]
  })
  change(log)
  const claim = Option.some(makeClaim({ ...parts, nodeId }))
  return new Map(claimChecks(chain, log, claim, 1_000_000).map((check) => [check.name, check]))
}

const result = (checks: ReadonlyMap<Check["name"], Check>, name: Check["name"]) => checks.get(name)?.result

describe("the checks of a claim", () => {
  it("are all well for one that agrees with itself", () => {
    const checks = [...checksOf(enr(7)).values()]
    assert.deepStrictEqual(
      checks.filter(({ result }) => result !== "ok"),
      []
    )
    assert.strictEqual(checks.length, 10)
  })

  it("show where an ENR says something else, and hold it against nobody", () => {
    const checks = checksOf(enr(9, "0xffffffff"), undefined, { ...said, subnets: { attnets: [3], syncnets: [] } })
    assert.deepStrictEqual(
      [checks.get("enr_custody_count"), result(checks, "enr_fork_digest"), result(checks, "enr_subnets")],
      [
        {
          name: "enr_custody_count",
          result: "note",
          detail: "custody groups: it says 7, the ENR 9; the ENR may be an old one"
        },
        "note",
        "note"
      ]
    )
  })

  it("call wrong what cannot be right", () => {
    assert.strictEqual(result(checksOf(enr(7), undefined, { ...said, metadataCount: 129 }), "custody_count"), "bad")
    assert.strictEqual(result(checksOf(enr(7), undefined, { ...said, forkDigest: "0x00000001" }), "network"), "bad")
    const backwards = checksOf(enr(7), (log) => log.pings.push({ ms: 5, sequenceNumber: 0, error: null }))
    assert.strictEqual(result(backwards, "sequence_number"), "bad")
    const other = checksOf(enr(7), (log) => {
      log.finality = Option.some({ upTo: -1, ours: 900, agreement: "other" })
    })
    assert.strictEqual(result(other, "finality"), "bad")
  })

  it("name the protocols that it does not offer", () => {
    const checks = checksOf(enr(7), (log) => {
      log.connection = Option.map(log.connection, (connection) => ({ ...connection, protocols: offered.slice(1) }))
    })
    assert.strictEqual(result(checks, "protocols"), "bad")
    assert.include(checks.get("protocols")?.detail ?? "", `${statusV2.id}, /meshsub/…`)
  })

  it("tell what it has not said from what is wrong", () => {
    const checks = checksOf(
      enr(7),
      (log) => {
        log.subscribed = Option.none()
        log.connection = Option.none()
      },
      { ...said, earliestAvailableSlot: 1200 }
    )
    assert.deepStrictEqual(
      [result(checks, "subscriptions"), result(checks, "protocols"), result(checks, "earliest_slot")],
      ["unknown", "unknown", "note"]
    )
    const few = checksOf(enr(7), (log) => {
      log.subscribed = Option.some([])
    })
    assert.match(few.get("subscriptions")?.detail ?? "", /on the gossip topics of 0 of the 7 columns/)
  })
})
