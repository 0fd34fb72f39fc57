import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Option } from "effect"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { devEnr } from "../../src/devnet/discv5/DevEnr.ts"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import { PeerDisconnected, PeerRefused, ProbeTimeout } from "../../src/domain/probe/Outcome.ts"
import { decodeNodeRecord } from "../../src/domain/peer/NodeRecord.ts"
import { NotDialled } from "../../src/host/Host.ts"
import { parseTarget, type Target } from "../../src/scan/target/Target.ts"
import { finalRoot, nodeId, peer, type PeerModel, type Sent, statement, type World } from "../probe/FakeWorld.ts"
import { custody, honest, honestRange, honestRoot, silent } from "../probe/Probes.ts"
import { busyWorld, type Scanned, scanPeer } from "./ScanWorld.ts"

/** Leaves out what `isLeftOut`, always. */
const leavingOut = (world: World, isLeftOut: (sent: Sent) => boolean): PeerModel => ({
  ...honest(world),
  byRange: (request) => ({ sent: honestRange(world, request).filter((sent) => !isLeftOut(sent)) }),
  byRoot: (request) => ({ sent: honestRoot(world, request).filter((sent) => !isLeftOut(sent)) })
})

const first = custodyColumns(nodeId, 4)
const [kept = -1] = first
const grown = custody.find((column) => !first.includes(column)) ?? -1

const brief = ({ report: { cells, outcomes, verdict } }: Scanned) => ({
  verdict,
  cells: cells.length,
  success: outcomes.success,
  missing: outcomes.missing,
  suspected: outcomes.suspected
})

describe("a scan of a peer that keeps what it claims", () => {
  it.effect("finds it compliant, by everything that it was asked, and leaves it by Goodbye", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const scanned = yield* scanPeer(world, honest(world))
      assert.deepStrictEqual(brief(scanned), { verdict: "compliant", cells: 32, success: 32, missing: 0, suspected: 0 })
      const { report } = scanned
      assert.isTrue(report.reached)
      assert.strictEqual(report.failure, null)
      assert.match(report.sentence, /^All is well: all 32 columns asked for in 4 slots came and verify/)
      assert.deepStrictEqual(report.columns, custody)
      assert.deepStrictEqual(scanned.goodbyes, [1])
      assert.deepStrictEqual(scanned.steps, ["dialling", "greeting", "choosing", "asking", "finished"])
      assert.strictEqual(report.pings.length, 3)
      assert.isTrue(report.pings.every(({ ms }) => ms !== null))
    })
  )

  it.effect("asks for slots all over what it owes, that have been final for two epochs", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const { report } = yield* scanPeer(world, honest(world), { options: { slots: 16 } })
      assert.deepStrictEqual(report.range, { start: 32, end: 448 })
      assert.strictEqual(report.slots.length, 16)
      assert.isTrue(report.slots.every((slot, index) => slot >= 32 + 26 * index && slot < 32 + 26 * (index + 1) + 1))
    })
  )

  it.effect("asks for just the slots that are named, and says why it does not ask for one", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      world.canonical.delete(101)
      const empty = world.canonical.get(102)
      if (empty !== undefined) world.canonical.set(102, { ...empty, commitments: [] })
      const { report } = yield* scanPeer(world, honest(world), { options: { only: [100, 101, 102, 5, 999, 900] } })
      assert.deepStrictEqual(report.slots, [100, 900])
      assert.deepStrictEqual(
        report.passedOver.map(({ reason, slot }) => [slot, reason.slice(0, 14)]),
        [
          [5, "it is too old:"],
          [101, "it has no bloc"],
          [102, "its block has "],
          [999, "it is too new:"]
        ]
      )
      assert.strictEqual(report.verdict, "compliant")
    })
  )

  it.effect("verifies what it has beyond its claim, if all columns are asked for, and misses nothing of that", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const extra = 127 - custody.length
      const more: PeerModel = {
        ...honest(world),
        byRange: ({ columns, startSlot }) => ({
          sent: columns
            .filter((column) => custody.includes(column) || column === extra)
            .map((column) => ({ slot: startSlot, column }))
        })
      }
      const { report } = yield* scanPeer(world, more, { options: { columns: "all" } })
      assert.strictEqual(report.verdict, "compliant")
      assert.strictEqual(report.columns.length, 128)
      assert.strictEqual(report.untested, 0)
      assert.deepStrictEqual(
        report.cells.filter(({ owed }) => !owed).map(({ column, outcome }) => [column, outcome]),
        Array.from({ length: 4 }, () => [extra, "success"])
      )
    })
  )
})

describe("a scan of a peer that leaves something out", () => {
  it.effect("accuses it only after a second conversation, and says what is missing", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const scanned = yield* scanPeer(
        world,
        leavingOut(world, ({ column }) => column === kept)
      )
      assert.deepStrictEqual(brief(scanned), { verdict: "violating", cells: 32, success: 28, missing: 4, suspected: 0 })
      assert.include(scanned.steps, "resting")
      assert.include(scanned.steps, "confirming")
      assert.match(scanned.report.sentence, new RegExp(`4 of 32 columns are missing.*column ${kept} of slot`))
      const { probes } = scanned.report
      const sampled = probes.findLast(({ purpose }) => purpose === "sampling")?.finishedAt ?? Infinity
      const confirmed = probes.find(({ purpose }) => purpose === "confirmation")?.startedAt ?? -Infinity
      assert.isAtLeast(confirmed - sampled, 14_000)
    })
  )

  it.effect("drops it when it comes the second time", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      let isThere = false
      const model = leavingOut(world, ({ column }) => !isThere && column === kept)
      const scanned = yield* scanPeer(
        world,
        model,
        // Pings go on while it rests: by the last of them it has found what it left out.
        { pinged: Effect.sync(() => ((isThere = world.requests.length >= 8), 1)) }
      )
      assert.deepStrictEqual(brief(scanned), { verdict: "compliant", cells: 32, success: 32, missing: 0, suspected: 0 })
    })
  )

  const suspectedOnly = (name: string, over: Parameters<typeof scanPeer>[2], model: (world: World) => PeerModel) =>
    it.effect(`suspects it and no more ${name}`, () =>
      Effect.gen(function* () {
        const world = busyWorld()
        const scanned = yield* scanPeer(world, model(world), over)
        assert.strictEqual(scanned.report.verdict, "suspected", scanned.report.sentence)
        assert.strictEqual(scanned.report.outcomes.missing, 0)
        assert.isAbove(scanned.report.outcomes.suspected, 0)
        assert.match(scanned.report.sentence, /That proves nothing yet: scan it again in ten minutes/)
        assert.isAbove(scanned.report.suspected.length, 0)
      })
    )
  const withoutKept = (world: World) => leavingOut(world, ({ column }) => column === kept)

  suspectedOnly("while the monitor suspects itself", { doubt: Option.some("too many at once") }, withoutKept)
  suspectedOnly("in slots that are final for less than two epochs", { options: { only: [500] } }, withoutKept)
  suspectedOnly("in slots that are not final", { options: { only: [900] } }, withoutKept)
  suspectedOnly("if it has finalized another chain", {}, (world) => ({
    ...withoutKept(world),
    statement: () => Either.right({ ...statement(8), finalized: { epoch: 16, root: finalRoot(99) } })
  }))
  suspectedOnly("if the column may have joined its claim a moment ago: nothing as old of it came", {}, (world) =>
    leavingOut(world, ({ column, slot }) => column === grown && slot < 440)
  )
  suspectedOnly(
    "if there is no time for the second conversation",
    { options: { timeLimit: Duration.seconds(18) } },
    withoutKept
  )

  it.effect("accuses it of a column beyond the first ones too, if an older one of that column came", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const model = leavingOut(world, ({ column, slot }) => column === grown && slot >= 136)
      const { report } = yield* scanPeer(world, model)
      assert.strictEqual(report.verdict, "violating")
      assert.strictEqual(report.outcomes.missing, 3)
    })
  )

  it.effect("does not accuse it of what it claims no more when it is asked again", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      let asked = 0
      const model: PeerModel = {
        ...withoutKept(world),
        statement: () => Either.right(statement(8, asked++ === 0 ? 0 : 960))
      }
      const { report } = yield* scanPeer(world, model)
      assert.strictEqual(report.outcomes.missing, 0)
      assert.notStrictEqual(report.verdict, "violating")
      assert.include(
        report.findings.map(({ kind }) => kind),
        "claim_retracted"
      )
    })
  )

  it.effect("finds out one that has nothing at all, and stops when enough is proven", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const { report } = yield* scanPeer(world, silent(world), { options: { slots: 16 } })
      assert.strictEqual(report.verdict, "violating")
      assert.isAtLeast(report.outcomes.missing, 4)
    })
  )
})

describe("a scan of a peer that cannot be judged", () => {
  const lost = new PeerDisconnected({ stage: "dial", detail: "connection refused" })

  it.effect("says that it cannot be reached, and what to look at", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const { report } = yield* scanPeer(world, honest(world), { connect: () => lost })
      assert.deepStrictEqual([report.verdict, report.reached, report.connection], ["unreachable", false, null])
      assert.match(report.sentence, /connection refused.*are its ports open in the firewall/)
    })
  )

  it.effect("finds one of which only the id is known, or says that nobody knows where it is", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const target = Either.getOrThrow(parseTarget(peer.peerId))
      const nobody = yield* scanPeer(world, honest(world), { target })
      assert.deepStrictEqual([nobody.report.verdict, nobody.report.reached], ["unreachable", false])
      assert.match(nobody.report.sentence, /neither the beacon node nor a database knows where it is.*Give its ENR/)
      const located = [
        { multiaddrs: [], record: Option.none(), from: "beacon node" },
        { multiaddrs: ["/ip4/127.0.0.1/tcp/7"], record: Option.none(), from: "address book" },
        { multiaddrs: ["/ip4/127.0.0.1/tcp/8", "/ip4/127.0.0.1/tcp/7"], record: Option.none(), from: "history" }
      ]
      const { report } = yield* scanPeer(world, honest(world), { target, located })
      assert.deepStrictEqual(
        [report.verdict, report.addresses, report.addressesFrom],
        ["compliant", ["/ip4/127.0.0.1/tcp/7", "/ip4/127.0.0.1/tcp/8"], "address book and history"]
      )
    })
  )

  it.effect("looks elsewhere for one that does not answer where an old ENR has it, and says so", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const old = "/ip4/127.0.0.1/tcp/9000"
      const address = { ...peer, multiaddrs: [old] }
      const enr = devEnr(devnetParameters(1, 1000, 0), identityOf(1, "old").privateKey, {
        ports: { tcp: 9000 },
        epoch: 2,
        forkDigest: "0x01020304",
        custodyGroupCount: 4
      }).encodeTxt()
      const record = Either.getRight(decodeNodeRecord(enr))
      const target: Target = { given: enr, kind: "enr", address, record }
      const located = [{ multiaddrs: [old, "/ip4/127.0.0.1/tcp/7"], record: Option.none(), from: "address book" }]
      const connect = (addresses: ReadonlyArray<string>) => (addresses.includes(old) ? Effect.fail(lost) : Effect.void)
      const { report } = yield* scanPeer(world, honest(world), { target, located, connect })
      assert.deepStrictEqual(
        [report.verdict, report.addresses, report.addressesFrom],
        ["compliant", ["/ip4/127.0.0.1/tcp/7"], "address book"]
      )
      assert.match(report.notes.join(), /does not answer where its ENR says .*the ENR may be an old one/)
      const nowhere = yield* scanPeer(world, honest(world), { target, located, connect: () => lost })
      assert.deepStrictEqual([nowhere.report.verdict, nowhere.report.addresses], ["unreachable", [old]])
      assert.match(nowhere.report.notes.join(), /where the address book knows it either/)
      // Who is asked for at one address is not looked for at others.
      const there = yield* scanPeer(world, honest(world), {
        target: { ...target, kind: "multiaddr" },
        located,
        connect
      })
      assert.deepStrictEqual([there.report.verdict, there.report.notes], ["unreachable", []])
    })
  )

  it.effect("tells another network from a fault, and asks it nothing", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const model: PeerModel = {
        ...honest(world),
        statement: () => Either.right({ ...statement(8), forkDigest: "0x0badf00d" })
      }
      const { report } = yield* scanPeer(world, model)
      assert.deepStrictEqual([report.verdict, report.reached, report.probes], ["refusing", true, []])
      assert.match(report.sentence, /another network or fork: its fork digest is 0x0badf00d/)
    })
  )

  it.effect("says what a refusal means, and leaves it in peace after the second", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const error = new PeerRefused({ reason: "rate_limited", detail: "code 139", resultCode: 139 })
      const model: PeerModel = { ...honest(world), byRange: () => ({ sent: [], error }) }
      const { report } = yield* scanPeer(world, model)
      assert.deepStrictEqual([report.verdict, report.reached, report.probes.length], ["refusing", true, 2])
      assert.match(report.sentence, /That says nothing of what it stores: scan it again in ten minutes/)
    })
  )

  it.effect("is over soon after its time, whatever hangs, with all that was found out until then", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const hanging = yield* scanPeer(world, honest(world), { connect: () => Effect.never })
      assert.deepStrictEqual([hanging.report.verdict, hanging.report.reached], ["unresponsive", false])
      assert.match(hanging.report.failure ?? "", /time limit of 1m 30s/)
      const stuck = yield* scanPeer(world, {
        ...honest(world),
        byRange: () => ({ sent: [], isLeftOpen: true })
      })
      assert.strictEqual(stuck.report.reached, true)
      assert.isAtMost(stuck.report.finishedAt - stuck.report.startedAt, 93_000)
    })
  )

  it.effect("reports a bug of ours as one", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const model: PeerModel = {
        ...honest(world),
        statement: () => {
          throw new Error("a bug")
        }
      }
      const { report } = yield* scanPeer(world, model)
      assert.deepStrictEqual([report.verdict, report.reached], ["unknown", false])
      assert.match(report.sentence, /this is a bug in dasmon: a bug.*Please report it/)
    })
  )

  it.effect("does not blame it for what is our own doing", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const connect = new NotDialled({ detail: "the limit of 1 connections is reached" })
      const { report } = yield* scanPeer(world, honest(world), { connect: () => connect })
      assert.deepStrictEqual([report.verdict, report.reached], ["unknown", false])
      world.reachable = false
      const blind = yield* scanPeer(world, honest(world))
      assert.strictEqual(blind.report.verdict, "unknown")
      assert.match(blind.report.sentence, /Look after the beacon node/)
    })
  )

  it.effect("waits for one that is silent, twice, and calls it unresponsive", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const error = new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 })
      const { report } = yield* scanPeer(world, { ...honest(world), byRange: () => ({ sent: [], error }) })
      assert.deepStrictEqual([report.verdict, report.probes.length], ["unresponsive", 2])
    })
  )
})
