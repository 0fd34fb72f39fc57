import { assert } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import type { ChainState } from "../../../src/devnet/chain/ChainState.ts"
import type { SlotRange } from "../../../src/domain/network/Chain.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { shared } from "../../Shared.ts"
import { scaled } from "../../TimeLimits.ts"
import { devnet, SharedChain } from "./Chain.ts"
import { fakeNode, type Handle, json } from "./FakeNode.ts"

/** A client of a node in front of a devnet that does what `habit` makes of the devnet's chain. */
const behind = (habit: (state: ChainState) => Handle, more: "alone" | "helped" = "alone") =>
  Effect.gen(function* () {
    const { state, url } = yield* SharedChain
    const node = yield* fakeNode({ upstream: url, handle: habit(state) })
    const helper = yield* fakeNode({ upstream: url, handle: () => false })
    const options = { url: node.url, fallbackUrl: more === "helped" ? helper.url : undefined }
    const api = yield* Effect.map(Layer.build(BeaconApi.layer(options)), Context.get(BeaconApi))
    const rootsOf = ({ end, start }: SlotRange) =>
      [...state.canonical.values()].filter(({ slot }) => slot >= start && slot <= end).map(({ root }) => root)
    return { api, node, helper, state, rootsOf }
  })

const slotOf = (path: string): number | undefined => {
  const slot = /\/(?:blinded_)?blocks\/(\d+)$/.exec(path)?.[1]
  return slot === undefined ? undefined : Number(slot)
}

/** How often a node was asked for the block of a slot. */
const timesAsked = (asked: ReadonlyArray<string>, slot: number): number =>
  asked.filter((path) => slotOf(path) === slot).length

/** Answers with this status wherever a block is asked for of which `isWanting` says so. */
const without =
  (status: number, isWanting: (slot: number, state: ChainState) => boolean) =>
  (state: ChainState): Handle =>
  (path, _, response) => {
    const slot = slotOf(path)
    if (slot === undefined || !isWanting(slot, state)) return false
    json(response, { code: status, message: "could not retrieve blocks for slot" }, status)
    return true
  }

const range = { start: 33, end: 70 }

shared("blocks of a node with habits of its own", SharedChain.layer, (it) => {
  it.live("a 500 for an empty slot is held against its neighbours, and asked for once", () =>
    Effect.gen(function* () {
      const { api, node, rootsOf } = yield* behind(without(500, (slot, { canonical }) => !canonical.has(slot)))
      yield* api.blocks({ start: 120, end: 122 })
      node.asked.splice(0)
      const blocks = yield* api.blocks(range)
      assert.deepStrictEqual(
        blocks.map(({ root }) => root),
        rootsOf(range)
      )
      assert.isBelow(blocks.length, range.end - range.start + 1)
      for (let slot = range.start; slot <= range.end; slot++) {
        assert.strictEqual(timesAsked(node.asked, slot), 1, `slot ${slot}`)
      }
    })
  )

  it.live("the block before in place of one says that the slot is empty", () =>
    Effect.gen(function* () {
      const { api, rootsOf } = yield* behind(({ canonical }) => (path) => {
        const slot = slotOf(path)
        if (slot === undefined || canonical.has(slot)) return false
        const before = [...canonical.keys()].findLast((other) => other < slot)
        return path.replace(/\d+$/, String(before))
      })
      assert.deepStrictEqual(
        (yield* api.blocks(range)).map(({ root }) => root),
        rootsOf(range)
      )
    })
  )

  for (const status of [404, 500]) {
    it.live(`the genesis block is there though the node answers ${status} for slot 0`, () =>
      Effect.gen(function* () {
        const { api, node, rootsOf, state } = yield* behind((state) => (path, request, response) => {
          if (!path.endsWith(`/headers/${state.genesis.root}`))
            return without(status, (slot) => slot === 0)(state)(path, request, response)
          json(response, { code: 404, message: "no such block" }, 404)
          return true
        })
        const blocks = yield* api.blocks({ start: 0, end: 31 })
        assert.deepStrictEqual(
          blocks.map(({ root }) => root),
          rootsOf({ start: 0, end: 31 })
        )
        assert.deepInclude(blocks[0], { slot: 0, root: state.genesis.root, commitments: [] })
        assert.isAtMost(timesAsked(node.asked, 0), 4)
      })
    )
  }

  it.live("a block that cannot be had costs its own slot, and whoever has it is asked for that one only", () =>
    Effect.gen(function* () {
      const wanting = 64
      const habit = without(500, (slot, { canonical }) => slot === wanting || !canonical.has(slot))
      const { api, node, rootsOf, state } = yield* behind(habit)
      assert.isTrue(state.canonical.has(wanting))
      const error = yield* Effect.flip(api.blocks(range))
      assert.match(error.message, /^blocks 33\.\.70 of http:.*: GET .*\/64: HTTP 500: .*could not retrieve/)
      assert.deepStrictEqual(
        error.proven?.map(({ blocks, range }) => [range, blocks.map(({ root }) => root)]),
        [
          { start: 33, end: 63 },
          { start: 65, end: 70 }
        ].map((part) => [part, rootsOf(part)])
      )
      assert.isAtMost(timesAsked(node.asked, wanting), 4)

      const helped = yield* behind(habit, "helped")
      assert.deepStrictEqual(
        (yield* helped.api.blocks(range)).map(({ root }) => root),
        rootsOf(range)
      )
      assert.deepStrictEqual([...new Set(helped.helper.asked.flatMap((path) => slotOf(path) ?? []))], [wanting])
    })
  )

  it.live("a block that comes at the second try is no loss", () =>
    Effect.gen(function* () {
      const tried = new Set<number>()
      const { api, rootsOf } = yield* behind(
        without(500, (slot) => {
          const isFirst = slot % 9 === 0 && !tried.has(slot)
          tried.add(slot)
          return isFirst
        })
      )
      assert.deepStrictEqual(
        (yield* api.blocks(range)).map(({ root }) => root),
        rootsOf(range)
      )
    })
  )

  it.live("a node that begins at its checkpoint tells what it has, and is not asked for the rest again and again", () =>
    Effect.gen(function* () {
      const { api, node, rootsOf, state } = yield* behind((state) => (path, request, response) => {
        const root = /headers\/(0x.*)$/.exec(path)?.[1]
        if (root === undefined || (state.byRoot.get(root)?.slot ?? 0) >= 50) {
          return without(404, (slot) => slot < 50)(state)(path, request, response)
        }
        json(response, { code: 404, message: "no such block" }, 404)
        return true
      })
      const oldest = [...state.canonical.keys()].find((slot) => slot >= 50) ?? 0
      const error = yield* Effect.flip(api.blocks(range))
      assert.include(error.message, `it does not have the parent of slot ${oldest}, its oldest block`)
      assert.deepStrictEqual(
        error.proven?.map(({ blocks, range }) => [range, blocks.map(({ root }) => root)]),
        [[{ start: oldest, end: 70 }, rootsOf({ start: oldest, end: 70 })]]
      )
      node.asked.splice(0)
      const older = yield* Effect.flip(api.blocks({ start: 32, end: 45 }))
      assert.include(older.message, `the parent of slot ${oldest}, its oldest block`)
      assert.deepStrictEqual(node.asked, [])
      assert.lengthOf(yield* api.blocks({ start: oldest, end: 60 }), rootsOf({ start: oldest, end: 60 }).length)
    })
  )

  it.live("a devnet's node with any habit tells the same chain, as far as it has it", () =>
    Effect.gen(function* () {
      for (const habit of ["like-lodestar", "like-prysm", "checkpoint", "errors"] as const) {
        const { state, url } = yield* devnet({ epochs: 4, api: habit })
        const options = { url, timeout: scaled("1 second") }
        const api = yield* Effect.map(Layer.build(BeaconApi.layer(options)), Context.get(BeaconApi))
        const blocks = yield* Effect.retry(api.blocks({ start: 64, end: 100 }), { times: 5 })
        assert.deepStrictEqual(
          blocks.map(({ root }) => root),
          [...state.canonical.values()].filter(({ slot }) => slot >= 64 && slot <= 100).map(({ root }) => root),
          habit
        )
      }
    })
  )
})
