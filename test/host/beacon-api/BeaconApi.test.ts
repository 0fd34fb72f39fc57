import { assert } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Layer, Option } from "effect"
import type { ServerResponse } from "node:http"
import { hasColumns } from "../../../src/domain/network/Block.ts"
import { provenRoot } from "../../../src/domain/network/BlockProof.ts"
import { toHex } from "../../../src/domain/Bytes.ts"
import { BeaconApi, type BeaconApiOptions } from "../../../src/host/beacon-api/BeaconApi.ts"
import { devnet, SharedChain } from "./Chain.ts"
import { fakeNode, type Handle, json } from "./FakeNode.ts"
import { shared } from "../../Shared.ts"
import { scaled, scaledMs } from "../../TimeLimits.ts"

const connect = (options: BeaconApiOptions) =>
  Effect.map(Layer.build(BeaconApi.layer({ startLimit: scaled("10 seconds"), ...options })), Context.get(BeaconApi))

/** A devnet, and a client of a node in front of it that does what `handle` says. */
const behind = (handle: Handle, options: Partial<BeaconApiOptions> = {}) =>
  Effect.gen(function* () {
    const { chain, state, url } = yield* SharedChain
    const node = yield* fakeNode({ upstream: url, handle })
    const api = yield* connect({ url: node.url, ...options })
    return { api, chain, state, node, url }
  })

const blockPath = /\/eth\/v[12]\/beacon\/(blinded_)?blocks\/\d+/

shared("BeaconApi", SharedChain.layer, (it) => {
  it.live("tells the parameters, the head and every canonical block of a range", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* SharedChain
      const api = yield* connect({ url: `${url}/` })
      assert.deepStrictEqual(api.chain, chain.parameters)
      assert.deepStrictEqual(yield* api.head, { slot: state.head.slot, root: state.head.root })
      const blocks = yield* api.blocks({ start: 30, end: 70 })
      const expected = [...state.canonical.values()].filter(({ slot }) => slot >= 30 && slot <= 70)
      assert.isBelow(expected.length, 41)
      assert.deepStrictEqual(
        blocks.map(({ commitments, fork, parentRoot, root, signature, slot }) => ({
          slot,
          root,
          parentRoot,
          fork,
          signature: toHex(Option.getOrThrow(signature)),
          commitments: commitments.map(toHex)
        })),
        expected.map((block) => ({
          slot: block.slot,
          root: block.root,
          parentRoot: toHex(block.header.message.parentRoot),
          fork: block.fork,
          signature: toHex(block.header.signature),
          commitments: block.commitments.map(toHex)
        }))
      )
      assert.isTrue(blocks.some(hasColumns))
      for (const block of blocks) {
        const { proof } = block
        assert.isDefined(proof)
        if (proof === undefined) continue
        assert.strictEqual(provenRoot({ ...block, proof }), block.root)
        // By the commitments, not only by the body root beside them.
        assert.lengthOf(proof.branch, 4)
        const [first, ...others] = block.commitments
        if (first === undefined) continue
        const changed = [first.map((byte, index) => (index === 47 ? byte ^ 1 : byte)), ...others]
        assert.notStrictEqual(provenRoot({ ...block, proof, commitments: changed }), block.root)
      }
      assert.deepStrictEqual(yield* api.blocks({ start: 9, end: 8 }), [])
    })
  )

  it.live("takes whole blocks as JSON from a node that has nothing else", () =>
    Effect.gen(function* () {
      const { api, state, node } = yield* behind((path, request) => {
        if (path.includes("/blocks/")) request.headers.accept = "application/json"
        return false
      })
      const noBlinded = yield* fakeNode({
        upstream: node.url,
        handle: (path, _, response) => {
          if (!path.includes("blinded")) return false
          json(response, { code: 404, message: "unknown endpoint" }, 404)
          return true
        }
      })
      const whole = yield* connect({ url: noBlinded.url })
      const range = { start: 60, end: 66 }
      const blocks = yield* api.blocks(range)
      assert.deepStrictEqual(yield* whole.blocks(range), blocks)
      assert.deepStrictEqual(
        blocks.map(({ root }) => root),
        [...state.canonical.values()].filter(({ slot }) => slot >= 60 && slot <= 66).map(({ root }) => root)
      )
      assert.isTrue(noBlinded.asked.some((path) => path.startsWith("/eth/v2/beacon/blocks/6")))
    })
  )

  it.live("sends the credentials of its address and shows them to no one", () =>
    Effect.gen(function* () {
      let authorization: string | undefined
      const { chain, url } = yield* SharedChain
      const node = yield* fakeNode({
        upstream: url,
        handle: (path, request, response) => {
          authorization = request.headers.authorization
          if (!path.includes("headers")) return false
          json(response, { code: 400, message: "no" }, 400)
          return true
        }
      })
      const api = yield* connect({ url: `http://user:s%20ecret@127.0.0.1:${node.port}` })
      assert.strictEqual(api.chain.network, chain.parameters.network)
      assert.strictEqual(authorization, `Basic ${Buffer.from("user:s ecret").toString("base64")}`)
      const error = yield* Effect.flip(api.head)
      assert.strictEqual(error.operation, `GET http://127.0.0.1:${node.port}/eth/v1/beacon/headers/head`)
      assert.include(error.reason, "HTTP 400")
      assert.notInclude(error.message, "ecret")
    })
  )

  const bad: ReadonlyArray<readonly [string, (response: ServerResponse) => void, string]> = [
    [
      "a web page",
      (response) => {
        response.writeHead(200, { "content-type": "text/html; charset=utf-8" })
        response.end("<html><body>It works!</body></html>")
      },
      "expected application/json, got text/html"
    ],
    [
      "a web page that says it is JSON",
      (response) => {
        response.writeHead(200, { "content-type": "application/json" })
        response.end("<html>")
      },
      "not what was expected"
    ],
    ["JSON of another shape", (response) => json(response, { data: { slot: 7 } }), "data.header: is missing"],
    ["an error that stays", (response) => json(response, { code: 500, message: "oh no" }, 500), "HTTP 500"],
    [
      "a redirection",
      (response) => {
        response.writeHead(302, { location: "https://user:pw@elsewhere.example/x" })
        response.end()
      },
      "redirects (HTTP 302) to https://elsewhere.example;"
    ],
    [
      "more than it announces",
      (response) => {
        response.writeHead(200, { "content-type": "application/json", "content-length": "100000" })
        response.write("{}")
        setTimeout(() => response.destroy(), 20)
      },
      "GET "
    ],
    ["nothing at all", () => {}, "no whole answer within"]
  ]
  it.live("gives a typed error with the address and the reason for whatever a node sends", () =>
    Effect.gen(function* () {
      yield* Effect.forEach(
        bad,
        ([name, send, reason]) =>
          Effect.gen(function* () {
            let sound = false
            const { api, node, state } = yield* behind(
              (path, _, response) => {
                if (sound || !path.includes("headers/head")) return false
                send(response)
                return true
              },
              { timeout: scaled("500 millis") }
            )
            const error = yield* Effect.flip(api.head)
            assert.include(error.message, reason, name)
            assert.strictEqual(error.operation, `GET ${node.url}/eth/v1/beacon/headers/head`)
            sound = true
            assert.strictEqual((yield* api.head).root, state.head.root)
          }),
        { concurrency: "unbounded" }
      )
    })
  )

  it.live("reads no further than 16 MiB, whatever the length is said to be", () =>
    Effect.gen(function* () {
      let sent = 0
      const { api } = yield* behind((path, _, response) => {
        if (!path.includes("headers/head")) return false
        response.writeHead(200, { "content-type": "application/json", "content-length": String(2 ** 40) })
        const chunk = Buffer.alloc(2 ** 20, 0x20)
        const more = (): void => {
          if (response.destroyed) return
          sent += chunk.length
          if (response.write(chunk)) setImmediate(more)
          else response.once("drain", more)
        }
        more()
        return true
      })
      const error = yield* Effect.flip(api.head)
      assert.include(error.message, "longer than 16777216 bytes")
      assert.isBelow(sent, 64 * 2 ** 20)
    })
  )

  it.live("asks again after a hiccup", () =>
    Effect.gen(function* () {
      let failures = 2
      const { api, state } = yield* behind((path, _, response) => {
        if (!path.includes("headers/head") || failures-- <= 0) return false
        response.destroy()
        return true
      })
      assert.strictEqual((yield* api.head).root, state.head.root)
    })
  )

  it.live("refuses blocks that are cut off, of another slot, or of a fork that is not on", () =>
    Effect.gen(function* () {
      let alter: "cut" | "other" | "fork" | "unknown" = "cut"
      const { api, state } = yield* behind((path, _, response) => {
        if (!blockPath.test(path)) return false
        const block = [...state.canonical.values()].find(({ slot }) => slot === (alter === "other" ? 70 : 69))
        const version = { cut: "fulu", other: "fulu", fork: "electra", unknown: "verkle" }[alter]
        response.writeHead(200, { "content-type": "application/octet-stream", "eth-consensus-version": version })
        const whole = Buffer.from(block?.ssz ?? [])
        response.end(alter === "cut" ? whole.subarray(0, whole.length - 40_000) : whole)
        return true
      })
      const reason = Effect.map(Effect.flip(api.blocks({ start: 69, end: 69 })), (error) => error.message)
      assert.match(yield* reason, /GET .*\/69: the fulu block cannot be read/)
      alter = "other"
      assert.match(yield* reason, /cannot be read|got the block of slot 70/)
      alter = "fork"
      assert.match(yield* reason, /cannot be read|not in that fork/)
      alter = "unknown"
      assert.match(yield* reason, /unknown fork \(verkle\)/)
    })
  )

  it.live("tells a node that lacks old blocks from empty slots, and asks the fallback for them", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* SharedChain
      const old = /\/(\d+)$/
      const pruned: Handle = (path, _, response) => {
        const slot = Number(old.exec(path)?.[1] ?? Infinity)
        const root = /headers\/(0x.*)$/.exec(path)?.[1]
        const known = root === undefined || (state.byRoot.get(root)?.slot ?? 0) >= 64
        if (slot >= 64 && known) return false
        json(response, { code: 404, message: "not found" }, 404)
        return true
      }
      const node = yield* fakeNode({ upstream: url, handle: pruned })
      const alone = yield* connect({ url: node.url })
      assert.lengthOf(
        yield* alone.blocks({ start: 70, end: 80 }),
        [...state.canonical.keys()].filter((slot) => slot >= 70 && slot <= 80).length
      )
      const error = yield* Effect.flip(alone.blocks({ start: 40, end: 50 }))
      assert.match(error.message, /^blocks 40\.\.50 of http:.*: it does not have the parent of slot/)

      const helped = yield* connect({ url: node.url, fallbackUrl: url })
      assert.deepStrictEqual(
        (yield* helped.blocks({ start: 40, end: 50 })).map(({ root }) => root),
        [...state.canonical.values()].filter(({ slot }) => slot >= 40 && slot <= 50).map(({ root }) => root)
      )
      const other = yield* devnet({ epochs: 1, seed: 9 })
      const misled = yield* connect({ url: node.url, fallbackUrl: other.url })
      const refused = yield* Effect.flip(misled.blocks({ start: 40, end: 50 }))
      assert.include(refused.message, "it is of another network")
      assert.strictEqual(chain.parameters.network, other.chain.parameters.network)
    })
  )

  it.live("does not mix the blocks of two chains", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* devnet({ epochs: 4 })
      const head = state.head.slot
      const stale = new Map(
        yield* Effect.forEach([head - 3, head - 2], (slot) =>
          Effect.map(
            Effect.promise(async () => (await fetch(`${url}/eth/v2/beacon/blocks/${slot}`)).text()),
            (text) => [slot, text] as const
          )
        )
      )
      yield* chain.reorg(5)
      let lies = 6
      const node = yield* fakeNode({
        upstream: url,
        handle: (path, _, response) => {
          const slot = Number(/\/(\d+)$/.exec(path)?.[1])
          const text = stale.get(slot)
          if (text === undefined || !path.includes("blocks/") || lies-- <= 0) return false
          const found = !text.includes('"code":404')
          response.writeHead(found ? 200 : 404, { "content-type": "application/json", "eth-consensus-version": "fulu" })
          // Whole blocks where blinded ones are asked for are not readable: say that there are none at all.
          response.end(path.includes("blinded") ? "{}" : text)
          return true
        }
      })
      const api = yield* connect({
        url: (yield* fakeNode({
          upstream: node.url,
          handle: (path, _, response) => {
            if (!path.includes("blinded")) return false
            json(response, {}, 404)
            return true
          }
        })).url
      })
      const blocks = yield* api.blocks({ start: head - 6, end: head })
      const after = yield* chain.state
      assert.isAtMost(lies, 0)
      assert.deepStrictEqual(
        blocks.map(({ root }) => root),
        [...after.canonical.values()].filter(({ slot }) => slot >= head - 6 && slot <= head).map(({ root }) => root)
      )
    })
  )

  it.live("does not ask a node that is syncing, and says why a slot is not answered", () =>
    Effect.gen(function* () {
      const { api, node, state } = yield* behind((path, _, response) => {
        if (path !== "/eth/v1/node/syncing") return false
        json(response, {
          data: { head_slot: "9", sync_distance: "1234", is_syncing: true, is_optimistic: true, el_offline: true }
        })
        return true
      })
      const error = yield* Effect.flip(api.blocks({ start: state.head.slot, end: state.head.slot + 1 }))
      assert.include(error.message, `${node.url}: it is not asked: it is syncing (1234 slots behind)`)
      assert.isFalse(node.asked.some((path) => /blocks|headers/.test(path)))
    })
  )

  it.live("waits for a node that is not up yet, but not for ever", () =>
    Effect.gen(function* () {
      const { chain, url } = yield* SharedChain
      const node = yield* fakeNode({ upstream: url, handle: () => false })
      yield* node.stop
      const early = yield* Effect.fork(connect({ url: node.url, startLimit: scaled("20 seconds") }))
      const [waited, exit] = yield* Effect.timed(Effect.exit(connect({ url: node.url, startLimit: "2 seconds" })))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "ECONNREFUSED")
      assert.isBelow(Duration.toMillis(waited), scaledMs("6 seconds"))
      yield* fakeNode({ upstream: url, handle: () => false, port: node.port })
      assert.deepStrictEqual((yield* early).chain, chain.parameters)
      const nonsense = yield* Effect.flip(connect({ url: "not a url" }))
      assert.include(nonsense.message, "not an http:// or https:// URL")
    })
  )
})
