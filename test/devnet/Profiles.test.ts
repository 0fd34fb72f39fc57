import { assert } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { multiaddr } from "@multiformats/multiaddr"
import { Duration, Effect, Exit, Layer, Option, TestClock, TestContext } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { epochOf, epochStart } from "../../src/domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import type { PeersSpec } from "../../src/devnet/PeersSpec.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { metadataRequest } from "../../src/wire/Handshake.ts"
import { columnsByRange } from "../../src/wire/Requests.ts"
import { eventually } from "../Eventually.ts"
import { shared } from "../Shared.ts"
import { ask, clean, due, failedChecks, type Heard, keptOf, labels, layerStranger, Stranger } from "./Stranger.ts"

const peers: PeersSpec = [
  "anchor",
  "growing",
  "late-columns",
  "backfilling",
  "syncing",
  "restarting",
  "starting",
  "orphan-server",
  "other-context",
  "bare-codes",
  "broken-file",
  "archive-edge",
  "on-demand",
  "escape-status",
  "escape-root",
  "escape-hangup",
  "moving-claim",
  "serves-one"
]
const slotDuration = Duration.seconds(1)
/** At which the devnet starts. */
const firstSlot = 256

/** Old slots, of one fork digest. */
const start = 100
const count = 8

/** Time stands still but for this. */
const pass = (slots: number) => TestClock.adjust(Duration.times(slotDuration, slots))

const layer = layerStranger({ peers, slotDuration, seed: 11 }).pipe(
  Layer.provide(Layer.effectDiscard(TestClock.setTime(1_800_000_000_000))),
  Layer.provideMerge(TestContext.TestContext)
)

shared("the profiles that only tests have", layer, (it) => {
  it.live("starting: speaks nothing at first", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, dial, peer, range, statusOf } = yield* Stranger
      const connection = yield* dial(peer("starting"))
      const columns = yield* columnsOf(peer("starting"))
      assert.deepStrictEqual(yield* statusOf(connection), Option.none())
      assert.match((yield* ask(connection, metadataRequest)).end, unsupported)
      assert.match((yield* ask(connection, columnsByRange({ startSlot: start, count, columns }))).end, unsupported)
      yield* pass(6)
      yield* eventually(Effect.map(statusOf(connection), Option.isSome))
      const heard = yield* range(peer("starting"), start, count)
      assert.deepStrictEqual(labels(heard), due(yield* blocks(start, count), columns))
    })
  )

  it.live("backfilling: answers code 3 for what it has, and its history grows downwards", () =>
    Effect.gen(function* () {
      const { blocks, byRoot, columnsOf, peer, range } = yield* Stranger
      const filling = peer("backfilling")
      const columns = yield* columnsOf(filling)
      const { earliestAvailableSlot: first } = yield* filling.claim
      const expected = yield* blocks(first, count)
      assert.strictEqual((yield* range(filling, first, count)).end, backfilling)
      assert.deepStrictEqual(labels(yield* byRoot(filling, expected)), due(expected, columns))
      assert.deepStrictEqual(yield* byRoot(filling, yield* blocks(first - 20, 10)), clean)
      // However late one comes, it is twice at least.
      yield* pass(8)
      assert.strictEqual((yield* range(filling, first, count)).end, backfilling)
      assert.deepStrictEqual(labels(yield* range(filling, first, count)), due(expected, columns))
      assert.strictEqual((yield* range(filling, first - 20, 40)).end, backfilling)

      const steps = new Set<number>()
      for (let slots = 0; slots < 32 && !steps.has(0); slots += 4) {
        yield* pass(4)
        steps.add((yield* filling.claim).earliestAvailableSlot)
      }
      assert.isAtLeast(steps.size, 3)
      assert.deepStrictEqual(
        [...steps],
        [...steps].sort((a, b) => b - a)
      )
      assert.include([...steps], 0)
      assert.deepStrictEqual(labels(yield* range(filling, start, count)), due(yield* blocks(start, count), columns))
    })
  )

  it.live("syncing: has what is not beyond its head, which climbs and stands", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, greet, peer, statusOf } = yield* Stranger
      const columns = yield* columnsOf(peer("syncing"))
      const connection = yield* greet(peer("syncing"))
      const status = Effect.flatten(statusOf(connection))
      const { headSlot } = yield* status
      assert.isBelow(headSlot, firstSlot - 100)
      const heard = yield* ask(connection, columnsByRange({ startSlot: headSlot - 20, count: 60, columns }))
      assert.deepStrictEqual(labels(heard), due(yield* blocks(headSlot - 20, 21), columns))
      // It climbs for ten slots and stands for six; the third time it reaches the end, and stands again.
      const behind = Effect.zipWith(devnet.chain.state, status, ({ slot }, { headSlot }) => slot - headSlot)
      yield* pass(10)
      const { headSlot: standing } = yield* status
      yield* pass(4)
      assert.strictEqual((yield* status).headSlot, standing)
      yield* pass(28)
      assert.isAtMost(yield* behind, 1)
      yield* pass(5)
      assert.isAtLeast(yield* behind, 5)
    })
  )

  it.live("growing: claims more, has the new columns from then on, and corrects its earliest slot late", () =>
    Effect.gen(function* () {
      const { blocks, greet, peer } = yield* Stranger
      const growing = peer("growing")
      const connection = yield* greet(growing)
      const columns = (groups: number) => custodyColumns(growing.nodeId, groups)
      const get = (startSlot: number, count: number) =>
        Effect.map(ask(connection, columnsByRange({ startSlot, count, columns: columns(12) })), labels)
      const claims = new Set<string>()
      let right = 0
      for (let slots = 0; slots < 32; slots++) {
        const { custodyGroupCount, earliestAvailableSlot, sequenceNumber } = yield* growing.claim
        claims.add(`${sequenceNumber}: ${custodyGroupCount} groups from slot ${earliestAvailableSlot}`)
        right = earliestAvailableSlot
        if (custodyGroupCount === 8) {
          assert.deepStrictEqual(yield* get(start, 2), due(yield* blocks(start, 2), columns(4)))
        }
        yield* pass(1)
      }
      assert.isAbove(right, firstSlot)
      assert.deepStrictEqual(
        [...claims],
        [
          "1: 4 groups from slot 0",
          "2: 8 groups from slot 0",
          `3: 12 groups from slot ${right - 1}`,
          `3: 12 groups from slot ${right}`
        ]
      )
      assert.deepStrictEqual(yield* get(right - 4, 4), due(yield* blocks(right - 4, 4), columns(8)))
      assert.deepStrictEqual(yield* get(right, 6), due(yield* blocks(right, 6), columns(12)))
    })
  )

  it.live("restarting: is gone for a moment, speaks nothing for another, and its head falls back and climbs", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, dial, greet, peer, range, statusOf } = yield* Stranger
      const restarting = peer("restarting")
      const isUp = Effect.map(Effect.exit(greet(restarting)), Exit.isSuccess)
      for (let slots = 0; slots < 12 && !(yield* isUp); slots++) yield* pass(1)
      const connection = yield* greet(restarting)
      for (let slots = 0; slots < 20 && connection.status === "open"; slots++) {
        yield* pass(1)
        // What ends a connection comes over the network, as does the answer.
        yield* statusOf(connection)
      }
      assert.notStrictEqual(connection.status, "open")
      yield* pass(1.5)
      const heard = yield* eventually(Effect.flatMap(dial(restarting), (open) => ask(open, metadataRequest)))
      assert.match(heard.end, unsupported)
      yield* pass(1)
      const status = Effect.flatMap(dial(restarting), (open) => Effect.flatten(statusOf(open)))
      const { headSlot } = yield* eventually(status)
      const { slot } = yield* devnet.chain.state
      assert.isBelow(headSlot, slot - 20)
      assert.isAtLeast(headSlot, epochStart(devnet.parameters, epochOf(devnet.parameters, slot) - 1) - 4)
      yield* pass(6)
      assert.strictEqual((yield* status).headRoot, (yield* devnet.chain.state).head.root)
      const whole = due(yield* blocks(start, count), yield* columnsOf(restarting))
      assert.deepStrictEqual(labels(yield* range(restarting, start, count)), whole)
    })
  )

  it.live("anchor: has all from its earliest slot on but for the columns of that slot", () =>
    Effect.gen(function* () {
      const { blocks, byRoot, columnsOf, peer, range } = yield* Stranger
      const anchor = peer("anchor")
      const columns = yield* columnsOf(anchor)
      const { earliestAvailableSlot: at } = yield* anchor.claim
      assert.isTrue(at >= 32 && at < firstSlot - 64, `begins at ${at}`)
      const [first, ...others] = yield* blocks(at, count)
      assert.strictEqual(first?.slot, at)
      assert.deepStrictEqual(labels(yield* range(anchor, at, count)), due(others, columns))
      assert.deepStrictEqual(yield* byRoot(anchor, first === undefined ? [] : [first]), clean)
    })
  )

  it.live("late-columns: what is new comes some slots later, one column much later", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer, range } = yield* Stranger
      const columns = yield* columnsOf(peer("late-columns"))
      const lacking: Array<{ readonly age: number; readonly count: number }> = []
      for (let round = 0; round < 4; round++) {
        const { slot } = yield* devnet.chain.state
        const got = labels(yield* range(peer("late-columns"), slot - 20, 21))
        for (const block of yield* blocks(slot - 20, 21)) {
          const count = due([block], columns).filter((label) => !got.includes(label)).length
          if (count > 0) lacking.push({ age: slot - block.slot, count })
        }
        yield* pass(3)
      }
      const young = lacking.filter(({ age }) => age <= 2)
      assert.isTrue(young.some(({ count }) => count === columns.length))
      const older = lacking.filter(({ age }) => age > 2)
      assert.isAtLeast(older.length, 4)
      for (const { age, count } of older) assert.isTrue(count === 1 && age < 16, `${count} at ${age} slots`)
    })
  )

  it.live("other-context: the digest of today around good columns of another day", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer, range } = yield* Stranger
      const heard = yield* range(peer("other-context"), 60, count)
      const expected = yield* blocks(60, count)
      assert.deepStrictEqual(labels(heard), due(expected, yield* columnsOf(peer("other-context"))))
      const contexts = [...new Set(heard.chunks.map(({ context }) => context))]
      assert.deepStrictEqual(contexts, [forkDigestOfSlot(devnet.parameters, firstSlot)])
      assert.notDeepEqual(contexts, [forkDigestOfSlot(devnet.parameters, 60)])
      const [first] = expected
      assert.isDefined(first)
      assert.deepStrictEqual(failedChecks(heard.chunks[0]?.ssz ?? new Uint8Array(), first), [])
    })
  )

  it.live("bare-codes: now and then an error instead of a response, and never a part of one", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const expected = due(yield* blocks(start, 2), yield* columnsOf(peer("bare-codes")))
      const all = yield* Effect.replicateEffect(range(peer("bare-codes"), start, 2), 30)
      const failed = all.filter(({ end }) => end !== "end")
      assert.isTrue(failed.length >= 5 && failed.length <= 16, `${failed.length} failed`)
      assert.isAtLeast(new Set(failed.map(({ end }) => end)).size, 3)
      for (const { chunks } of failed) assert.deepStrictEqual(chunks, [])
      for (const heard of all) if (heard.end === "end") assert.deepStrictEqual(labels(heard), expected)
    })
  )

  it.live("broken-file: stops with code 2 before two or three slots, at every try", () =>
    Effect.gen(function* () {
      const { blocks, byRoot, columnsOf, peer, range } = yield* Stranger
      const broken: Array<number> = []
      const columns = yield* columnsOf(peer("broken-file"))
      for (let at = 32; at < firstSlot;) {
        const expected = yield* blocks(at, Math.min(64, firstSlot - at))
        const heard = yield* range(peer("broken-file"), at, Math.min(64, firstSlot - at))
        const whole = expected.slice(0, heard.chunks.length / columns.length)
        assert.deepStrictEqual(labels(heard), due(whole, columns))
        const next = expected[whole.length]
        assert.strictEqual(heard.end, next === undefined ? "end" : serverError)
        if (next === undefined) at += 64
        else {
          const nothing = { chunks: [], end: serverError }
          assert.deepStrictEqual(yield* range(peer("broken-file"), next.slot, 4), nothing)
          assert.deepStrictEqual(yield* byRoot(peer("broken-file"), [next]), nothing)
          broken.push(next.slot)
          at = next.slot + 1
        }
      }
      assert.include([2, 3], broken.length)
    })
  )

  it.live("archive-edge: old slots by range, young ones by root, and neither while they move", () =>
    Effect.gen(function* () {
      const { blocks, byRoot, columnsOf, devnet, peer, range } = yield* Stranger
      const edge = peer("archive-edge")
      const columns = yield* columnsOf(edge)
      const { slot } = yield* devnet.chain.state
      const old = yield* blocks(40, count)
      const young = yield* blocks(slot - 60, count)
      assert.deepStrictEqual(labels(yield* range(edge, 40, count)), due(old, columns))
      assert.deepStrictEqual(yield* byRoot(edge, old), clean)
      assert.deepStrictEqual(yield* range(edge, slot - 60, count), clean)
      assert.deepStrictEqual(labels(yield* byRoot(edge, young)), due(young, columns))

      yield* pass(16 - (slot % 16))
      const first = (yield* devnet.chain.state).slot - 96 - 16
      const batch = yield* blocks(first, 16)
      assert.deepStrictEqual(yield* range(edge, first, 16), clean)
      assert.deepStrictEqual(yield* byRoot(edge, batch), clean)
      yield* pass(2)
      assert.deepStrictEqual(labels(yield* range(edge, first, 16)), due(batch, columns))
    })
  )

  it.live("on-demand: the upper half of the columns comes at the second time", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const columns = yield* columnsOf(peer("on-demand"))
      const lower = columns.filter((column) => column < 64)
      assert.isBelow(lower.length, columns.length)
      const expected = yield* blocks(start, count)
      const get = Effect.map(range(peer("on-demand"), start, count), labels)
      assert.deepStrictEqual(yield* get, due(expected, lower))
      assert.deepStrictEqual(yield* get, due(expected, lower))
      yield* pass(1)
      assert.deepStrictEqual(yield* get, due(expected, columns))
    })
  )

  it.live("escape-status: leaves out half, and then does not tell what it claims, for a while", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, greet, peer, statusOf } = yield* Stranger
      const liar = peer("escape-status")
      const connection = yield* greet(liar)
      const columns = yield* columnsOf(liar)
      const heard = yield* ask(connection, columnsByRange({ startSlot: start, count, columns }))
      const kept = keptOf(heard, columns)
      assert.lengthOf(kept, Math.floor(columns.length / 2))
      assert.deepStrictEqual(labels(heard), due(yield* blocks(start, count), kept))
      const impatient = { firstByte: Duration.millis(300) }
      for (const _ of [1, 2, 3]) assert.deepStrictEqual(yield* statusOf(connection, impatient), Option.none())
      yield* pass(6)
      assert.isTrue(Option.isSome(yield* statusOf(connection)))
      yield* ask(connection, columnsByRange({ startSlot: start, count, columns: kept }))
      assert.isTrue(Option.isSome(yield* statusOf(connection)))
    })
  )

  it.each([
    ["escape-root", /^PeerRefused code 2/],
    ["escape-hangup", /^PeerDisconnected/]
  ] as const)("%s: leaves out half by range, and does not say so by root", ([profile, end]) =>
    Effect.gen(function* () {
      const { blocks, byRoot, columnsOf, peer, range } = yield* Stranger
      const liar = peer(profile)
      const columns = yield* columnsOf(liar)
      const expected = yield* blocks(start, count)
      const byRange = yield* range(liar, start, count)
      const kept = keptOf(byRange, columns)
      assert.lengthOf(kept, Math.floor(columns.length / 2))
      assert.strictEqual(byRange.end, "end")
      for (const _ of [1, 2, 3, 4]) {
        // A connection that is being closed cannot be used, nor is there another one yet.
        const heard = yield* eventually(byRoot(liar, expected))
        assert.match(heard.end, end)
        assert.deepStrictEqual(labels(heard), profile === "escape-root" ? due(expected, kept) : [])
      }
      const good = yield* eventually(byRoot(liar, expected, kept))
      assert.deepStrictEqual(labels(good), due(expected, kept))
      assert.strictEqual(good.end, "end")
    })
  )

  it.live("moving-claim: claims less when it has left something out, and all of it again later", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const liar = peer("moving-claim")
      const columns = yield* columnsOf(liar)
      const above = 1 + Math.max(...(yield* blocks(start, count)).map(({ slot }) => slot))
      const full = { custodyGroupCount: 8, earliestAvailableSlot: 0 }
      const seen = new Set<string>()
      for (let round = 0; round < 6; round++) {
        assert.lengthOf(keptOf(yield* range(liar, start, count), columns), 4)
        const { sequenceNumber, ...moved } = yield* liar.claim
        seen.add(`${moved.custodyGroupCount} groups from slot ${moved.earliestAvailableSlot}`)
        yield* pass(6)
        const changes = moved.custodyGroupCount === 4 ? 1 : 0
        assert.deepStrictEqual(yield* liar.claim, { ...full, sequenceNumber: sequenceNumber + changes })
      }
      assert.deepStrictEqual([...seen].sort(), ["4 groups from slot 0", `8 groups from slot ${above}`])
    })
  )

  it.live("serves-one: gives everything to whoever asks first, and half of its columns to others", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, peer, range } = yield* Stranger
      const liar = peer("serves-one")
      const columns = yield* columnsOf(liar)
      const expected = due(yield* blocks(start, count), columns)
      const toFirst = yield* range(liar, start, count)
      assert.deepStrictEqual(labels(toFirst), expected)
      const other = yield* makeNode({ agent: "other" })
      const connection = yield* Effect.promise(() => other.dial(multiaddr(liar.multiaddr)))
      const toOther = yield* ask(connection, columnsByRange({ startSlot: start, count, columns }))
      assert.strictEqual(toOther.end, "end")
      assert.lengthOf(keptOf(toOther, columns), Math.floor(columns.length / 2))
      assert.deepStrictEqual(labels(yield* range(liar, start, count)), expected)
    }).pipe(Effect.scoped)
  )

  // Last: a reorg concerns all peers.
  it.live("orphan-server: has another head after a reorg, and serves its ancestors by range, for a while", () =>
    Effect.gen(function* () {
      const { byRoot, columnsOf, devnet, greet, peer, range, statusOf } = yield* Stranger
      const server = peer("orphan-server")
      const status = Effect.flatten(statusOf(yield* greet(server)))
      const before = yield* devnet.chain.state
      const { depth, oldHead } = yield* devnet.reorg(8)
      const first = oldHead.slot - depth + 1
      const orphans = [...before.canonical.values()].filter(({ blobs, slot }) => slot >= first && blobs.length > 0)
      yield* eventually(Effect.map(status, ({ headRoot }) => headRoot === oldHead.root))
      assert.deepStrictEqual(rootsOf(yield* range(server, first, depth)), new Set(orphans.map(({ root }) => root)))
      assert.deepStrictEqual(labels(yield* byRoot(server, orphans)), due(orphans, yield* columnsOf(server)))
      yield* pass(8)
      const { canonical, head } = yield* devnet.chain.state
      assert.strictEqual((yield* status).headRoot, head.root)
      const roots = new Set([...canonical.values()].map(({ root }) => root))
      for (const root of rootsOf(yield* range(server, first, depth))) assert.isTrue(roots.has(root))
    })
  )
})

const unsupported = /^PeerRefused .*protocol/i
const backfilling = "ColumnsUnavailable code 3: Backfilling"
const serverError = "PeerRefused code 2: internal service error"

const rootsOf = ({ chunks }: Heard): ReadonlySet<string> =>
  new Set(
    chunks.map(({ ssz: bytes }) => {
      const { message } = ssz.fulu.DataColumnSidecar.deserialize(bytes).signedBlockHeader
      return toHex(ssz.phase0.BeaconBlockHeader.hashTreeRoot(message))
    })
  )
