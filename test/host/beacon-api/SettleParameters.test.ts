import { assert, describe, it } from "@effect/vitest"
import { genesisData } from "@lodestar/config/networks"
import { Either, Option, Schema } from "effect"
import { toHex } from "../../../src/domain/Bytes.ts"
import { type ChainParameters, epochStart, slotStart } from "../../../src/domain/network/Chain.ts"
import { forkDigestAt } from "../../../src/domain/network/ForkDigest.ts"
import { GenesisResponse, SpecResponse } from "../../../src/host/beacon-api/BeaconSpec.ts"
import { settleParameters, type Witnesses } from "../../../src/host/beacon-api/SettleParameters.ts"

const genesisOf = (root: string) =>
  Schema.decodeUnknownSync(GenesisResponse)({
    data: { genesis_time: "1000000", genesis_validators_root: root, genesis_fork_version: "0x00000000" }
  })
const mainnet = genesisOf(genesisData.mainnet.genesisValidatorsRoot)
const ours = genesisOf(`0x${"17".repeat(32)}`)
const none: Witnesses = {
  now: 0,
  currentSlot: Option.none(),
  forkDigest: Option.none(),
  nextForkDigest: Option.none()
}

const settle = (genesis: typeof mainnet, spec: Readonly<Record<string, unknown>>, witnesses: Partial<Witnesses>) =>
  Either.getOrThrow(
    settleParameters(genesis, Schema.decodeUnknownSync(SpecResponse)({ data: spec }), { ...none, ...witnesses })
  )
const digest = (chain: ChainParameters, epoch: number): string => toHex(forkDigestAt(chain, epoch))

/** A devnet of 2 s slots: Fulu at epoch 0, a step at epoch 3. */
const devnet = {
  CONFIG_NAME: "my-devnet",
  SLOT_DURATION_MS: "2000",
  ELECTRA_FORK_EPOCH: "0",
  FULU_FORK_EPOCH: "1",
  BLOB_SCHEDULE: [{ EPOCH: "3", MAX_BLOBS_PER_BLOCK: "12" }]
}
const truth = settle(ours, devnet, {}).chain
const inEpoch = (chain: ChainParameters, epoch: number) => slotStart(chain, epochStart(chain, epoch) + 10)

describe("settleParameters", () => {
  it("takes a configuration that is at one with itself, its node's record and its network as it is", () => {
    const now = inEpoch(truth, 5)
    const next = settle(ours, { ...devnet, GLOAS_FORK_EPOCH: "9", GLOAS_FORK_VERSION: "0x07000000" }, {}).chain
    const good: ReadonlyArray<readonly [Readonly<Record<string, unknown>>, Partial<Witnesses>]> = [
      [devnet, {}],
      [{ ...devnet, SECONDS_PER_SLOT: "2" }, { now }],
      // Whole seconds cannot say it better.
      [{ ...devnet, SLOT_DURATION_MS: "2500", SECONDS_PER_SLOT: "2" }, {}],
      [devnet, { now, forkDigest: Option.some(digest(truth, 5)), nextForkDigest: Option.some("0x00000000") }],
      // A record that is not kept up to date.
      [devnet, { now, forkDigest: Option.some(digest(truth, 1)) }]
    ]
    for (const [spec, witnesses] of good) {
      const { corrections, doubt } = settle(ours, spec, witnesses)
      assert.deepStrictEqual({ corrections, doubt }, { corrections: [], doubt: Option.none() })
    }
    const { chain, corrections } = settle(ours, devnet, {
      now,
      forkDigest: Option.some(digest(truth, 5)),
      nextForkDigest: Option.some(digest(next, 9))
    })
    assert.deepStrictEqual(chain, truth)
    assert.match(corrections.join(), /announces the next fork digest 0x[0-9a-f]{8}/)
  })

  it("decides between two slot durations by the network, or by the head and the clock, or not at all", () => {
    const spec = { ...devnet, SLOT_DURATION_MS: "12000", SECONDS_PER_SLOT: "2" }
    const now = slotStart(truth, 140)
    const byHead = settle(ours, spec, { now, currentSlot: Option.some(138) })
    assert.deepStrictEqual([byHead.chain.slotDurationMs, byHead.doubt], [2000, Option.none()])
    assert.match(byHead.corrections.join(), /SLOT_DURATION_MS 12000 and SECONDS_PER_SLOT 2, .*2000 ms are taken/)
    for (const currentSlot of [Option.none<number>(), Option.some(70)]) {
      const { corrections, doubt } = settle(ours, spec, { now, currentSlot })
      assert.deepStrictEqual(corrections, [])
      assert.match(
        Option.getOrElse(doubt, () => ""),
        /nothing tells which is right: .*restart dasmon/
      )
    }
    const known = settle(mainnet, { CONFIG_NAME: "mainnet", SLOT_DURATION_MS: "12000", SECONDS_PER_SLOT: "6" }, {})
    assert.deepStrictEqual([known.chain.slotDurationMs, known.doubt], [12_000, Option.none()])
  })

  it("finds the schedule that gives the digest of the node's own record", () => {
    // Entries of forks before Fulu, which the rule of Fulu would take for steps.
    const spec = { ...devnet, BLOB_SCHEDULE: [{ EPOCH: "0", MAX_BLOBS_PER_BLOCK: "6" }, ...devnet.BLOB_SCHEDULE] }
    const older = settle(ours, spec, { now: inEpoch(truth, 2), forkDigest: Option.some(digest(truth, 2)) })
    assert.deepStrictEqual(older.chain.blobSchedule, truth.blobSchedule)
    assert.match(older.corrections.join(), /6 from epoch 0, 12 from epoch 3.*without what lies before Fulu is taken/)

    const main = settle(mainnet, { CONFIG_NAME: "mainnet" }, {}).chain
    const now = inEpoch(main, 500_000)
    for (const CONFIG_NAME of ["mainnet", "something"]) {
      const spec = { CONFIG_NAME, BLOB_SCHEDULE: [], FULU_FORK_EPOCH: "411392", FULU_FORK_VERSION: "0x06000000" }
      const found = settle(mainnet, spec, { now, forkDigest: Option.some(digest(main, 500_000)) })
      assert.deepStrictEqual(found.chain.blobSchedule, main.blobSchedule)
      assert.match(found.corrections.join(), /an empty BLOB_SCHEDULE, .* the schedule of mainnet is taken/)
    }
    // No record: the steps that have come are certain, those to come are the node's to say.
    const lost = settle(mainnet, { CONFIG_NAME: "mainnet", BLOB_SCHEDULE: [] }, { now })
    assert.deepStrictEqual(lost.chain.blobSchedule, main.blobSchedule)
    assert.lengthOf(lost.corrections, 1)
    const more = { BLOB_SCHEDULE: [...scheduleOf(main), { EPOCH: "600000", MAX_BLOBS_PER_BLOCK: "48" }] }
    assert.deepStrictEqual(settle(mainnet, { CONFIG_NAME: "mainnet", ...more }, { now }).corrections, [])
  })

  it("doubts a schedule that gives neither the digest of the node's record nor another of its network's", () => {
    const { chain, corrections, doubt } = settle(
      ours,
      { ...devnet, BLOB_SCHEDULE: [] },
      { now: inEpoch(truth, 5), forkDigest: Option.some(digest(truth, 5)) }
    )
    assert.deepStrictEqual([chain.blobSchedule, corrections], [[], []])
    assert.include(
      Option.getOrElse(doubt, () => ""),
      `is ${digest(chain, 5)}, but its own node record has ${digest(truth, 5)} (an empty BLOB_SCHEDULE)`
    )
  })
})

const scheduleOf = ({ blobSchedule }: ChainParameters) =>
  blobSchedule.map(({ epoch, maxBlobsPerBlock }) => ({ EPOCH: String(epoch), MAX_BLOBS_PER_BLOCK: maxBlobsPerBlock }))
