import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, LogLevel } from "effect"
import { hasColumns } from "../../../src/domain/network/Block.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { type GloasOptions, gloasNode, gloasStart, headSlot, rootsOf } from "./GloasNode.ts"

const connect = (options: GloasOptions, trustBeaconRoots = false) =>
  Effect.gen(function* () {
    const node = yield* gloasNode(options)
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      const isHeard = LogLevel.greaterThanEqual(logLevel, LogLevel.Info) && String(message).includes("gloas")
      if (isHeard) logged.push(`${logLevel.label} ${String(message)}`)
    })
    const api = yield* Effect.map(
      Layer.build(
        Layer.provide(
          BeaconApi.layer({ url: node.url, trustBeaconRoots }),
          Logger.replace(Logger.defaultLogger, logger)
        )
      ),
      Context.get(BeaconApi)
    )
    return { api, node, logged }
  })

const all = { start: 28, end: headSlot }

describe("Gloas blocks", () => {
  it.scopedLive("have the commitments of the bid, and columns if the next block is built upon their payload", () =>
    Effect.gen(function* () {
      const options = { empty: [30, 36, 39, 40], withheld: [33, 35, 38] }
      const { api, node } = yield* connect(options)
      const blocks = yield* api.blocks(all)
      assert.deepStrictEqual(
        blocks.map(({ root }) => root),
        rootsOf(options, all.start)
      )
      assert.deepStrictEqual(
        blocks.map(({ commitments, slot }) => [slot, ...commitments.map((commitment) => commitment[0])]),
        blocks.map(({ slot }) => [slot, 2 * slot + 1, 2 * slot + 2])
      )
      assert.deepStrictEqual(
        blocks.map(({ fork, payload, slot }) => [slot, fork, payload]),
        blocks.map(({ slot }) => [
          slot,
          slot < gloasStart ? "fulu" : "gloas",
          options.withheld.includes(slot) ? "empty" : slot === headSlot ? "unknown" : "full"
        ])
      )
      // The last block of a range is told by the first one after it, however many slots are empty in between.
      const parts = yield* Effect.forEach(
        [
          { start: 28, end: 38 },
          { start: 39, end: 43 }
        ],
        api.blocks
      )
      assert.deepStrictEqual(
        parts.flat().map(({ payload, slot }) => [slot, payload]),
        blocks.filter(({ slot }) => slot < headSlot).map(({ payload, slot }) => [slot, payload])
      )
      assert.deepStrictEqual(parts.flat().filter(hasColumns).length, blocks.length - options.withheld.length - 1)
      assert.isFalse(node.asked.some((path) => path.includes("envelope")))
    })
  )

  it.scopedLive("are asked for in the form in which the node gives those of their fork", () =>
    Effect.gen(function* () {
      const { api, node } = yield* connect({})
      assert.lengthOf(yield* api.blocks({ start: 28, end: 28 }), 1)
      assert.deepStrictEqual(
        node.asked.filter((path) => path.includes("blocks/")),
        ["/eth/v1/beacon/blinded_blocks/28", "/eth/v2/beacon/blocks/28"]
      )
      node.asked.splice(0)
      assert.lengthOf(yield* api.blocks(all), headSlot - all.start + 1)
      assert.lengthOf(node.asked, headSlot - all.start + 2)
      assert.isFalse(node.asked.some((path) => path.includes("blinded")))
    })
  )

  it.scopedLive("that the node hashes otherwise are told of in one sentence, and Fulu is judged as ever", () =>
    Effect.gen(function* () {
      const options = { isForeign: true }
      const { api, logged, node } = yield* connect(options)
      const sentence = /it hashes gloas blocks otherwise than this program, .* set trust_beacon_roots: true/
      const error = yield* Effect.flip(api.blocks(all))
      assert.match(error.reason, sentence)
      const fulu = { start: all.start, end: gloasStart - 1 }
      assert.deepStrictEqual(
        error.proven?.map(({ blocks, range }) => [range, blocks.map(({ root }) => root)]),
        [[fulu, rootsOf(options, all.start).slice(0, gloasStart - all.start)]]
      )
      assert.lengthOf(logged, 1)
      assert.match(logged[0] ?? "", /^WARN http:.*: it hashes gloas blocks .* \(slot \d+: 0x\w+ there, 0x\w+ here\)$/)

      node.asked.splice(0)
      assert.match((yield* Effect.flip(api.blocks({ start: gloasStart, end: 40 }))).reason, sentence)
      assert.deepStrictEqual(node.asked, [])
      assert.lengthOf(yield* api.blocks(fulu), gloasStart - all.start)
      assert.lengthOf(logged, 1)
    })
  )

  it.scopedLive("that the node hashes otherwise have its roots if they are trusted", () =>
    Effect.gen(function* () {
      const options = { isForeign: true, empty: [35], withheld: [37] }
      const { api } = yield* connect(options, true)
      const blocks = yield* api.blocks(all)
      assert.deepStrictEqual(
        blocks.map(({ root }) => root),
        rootsOf(options, all.start)
      )
      assert.deepStrictEqual(
        blocks.map(({ parentRoot }) => parentRoot).slice(1),
        blocks.map(({ root }) => root).slice(0, -1)
      )
      assert.deepStrictEqual(
        blocks.filter(({ payload }) => payload !== "full").map(({ payload, slot }) => [slot, payload]),
        [
          [37, "empty"],
          [headSlot, "unknown"]
        ]
      )
    })
  )
})
