import { assert, describe, it } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { createServer } from "node:net"
import { Effect, Fiber, Schema, Stream } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { serveBeaconApi } from "../../src/devnet/api/BeaconApi.ts"
import { preferredFormat } from "../../src/devnet/api/Accept.ts"
import { blobsOf } from "../../src/devnet/chain/BlobPool.ts"
import { finalized } from "../../src/devnet/chain/ChainState.ts"
import { makeDevChain } from "../../src/devnet/chain/DevChain.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { fakePool } from "./FakePool.ts"

const Data = Schema.Struct({ data: Schema.Unknown })

/** A chain of four epochs on the real clock, its next slot an hour away, and its API. */
const start = Effect.gen(function* () {
  const now = Date.now()
  const genesisTime = Math.floor(now / 1000) - 3600 * 4 * 32 - 1800
  const chain = yield* makeDevChain({
    parameters: devnetParameters(3, 3_600_000, genesisTime),
    pool: fakePool,
    seed: 3
  })
  const peers = [{ peerId: "16Uiu2peer", enr: "enr:-peer", multiaddr: "/ip4/127.0.0.1/tcp/9000" }]
  const url = yield* serveBeaconApi(
    chain,
    {
      version: "devnet/1",
      identity: { peerId: "16Uiu2node", enr: "enr:-node" },
      peers: Effect.succeed(peers),
      accounts: Effect.succeed([])
    },
    0
  )
  const request = (path: string, accept = "application/json", method = "GET") =>
    Effect.promise((signal) => fetch(`${url}${path}`, { method, headers: { accept }, signal }))
  const json = (path: string, accept?: string) =>
    Effect.flatMap(request(path, accept), (response) => Effect.promise((): Promise<unknown> => response.json()))
  const data = (path: string) => Effect.map(Effect.flatMap(json(path), Schema.decodeUnknown(Data)), ({ data }) => data)
  const bytes = (path: string) =>
    Effect.gen(function* () {
      const response = yield* request(path, "application/octet-stream;q=1.0,application/json;q=0.9")
      assert.strictEqual(response.headers.get("content-type"), "application/octet-stream")
      const body = yield* Effect.promise(() => response.arrayBuffer())
      return { body: new Uint8Array(body), version: response.headers.get("eth-consensus-version") }
    })
  return { chain, url, request, json, data, bytes, state: yield* chain.state }
})

describe("the Beacon API of the devnet", () => {
  it.scoped("tells the parameters of the network", () =>
    Effect.gen(function* () {
      const { chain, data } = yield* start
      const { parameters } = chain
      assert.deepStrictEqual(yield* data("/eth/v1/beacon/genesis"), {
        genesis_time: String(parameters.genesisTime),
        genesis_validators_root: toHex(parameters.genesisValidatorsRoot),
        genesis_fork_version: toHex(parameters.forks[0]?.version ?? new Uint8Array())
      })
      const spec = yield* Effect.flatMap(
        data("/eth/v1/config/spec"),
        Schema.decodeUnknown(Schema.Record({ key: Schema.String, value: Schema.Unknown }))
      )
      assert.include(spec, {
        CONFIG_NAME: "devnet",
        SLOT_DURATION_MS: "3600000",
        SECONDS_PER_SLOT: "3600",
        SLOTS_PER_EPOCH: "32",
        ELECTRA_FORK_EPOCH: "0",
        FULU_FORK_EPOCH: "1",
        GLOAS_FORK_EPOCH: "18446744073709551615",
        MAX_BLOBS_PER_BLOCK_ELECTRA: "9",
        MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS: "256",
        FULU_FORK_VERSION: toHex(parameters.forks.find((fork) => fork.name === "fulu")?.version ?? new Uint8Array())
      })
      assert.deepStrictEqual(spec["BLOB_SCHEDULE"], [{ EPOCH: "3", MAX_BLOBS_PER_BLOCK: "12" }])
      const schedule = yield* data("/eth/v1/config/fork_schedule")
      assert.lengthOf(Schema.decodeUnknownSync(Schema.Array(Schema.Unknown))(schedule), 7)
    })
  )

  it.scoped("gives every block as SSZ and as JSON, full and blinded", () =>
    Effect.gen(function* () {
      const { bytes, json, state } = yield* start
      for (const block of [...state.canonical.values()].filter((_, index) => index % 9 === 0)) {
        const types = block.fork === "electra" ? ssz.electra : ssz.fulu
        const full = yield* bytes(`/eth/v2/beacon/blocks/${block.slot}`)
        assert.strictEqual(full.version, block.fork)
        const decoded = types.SignedBeaconBlock.deserialize(full.body)
        assert.strictEqual(toHex(types.BeaconBlock.hashTreeRoot(decoded.message)), block.root)
        const blinded = yield* bytes(`/eth/v1/beacon/blinded_blocks/${block.root}`)
        const header = ssz.electra.SignedBlindedBeaconBlock.deserialize(blinded.body)
        assert.strictEqual(toHex(ssz.electra.BlindedBeaconBlock.hashTreeRoot(header.message)), block.root)
        assert.deepStrictEqual(header.message.body.blobKzgCommitments.map(toHex), block.commitments.map(toHex))
        const text = yield* Effect.flatMap(
          json(`/eth/v2/beacon/blocks/${block.slot}`),
          Schema.decodeUnknown(
            Schema.Struct({ version: Schema.String, finalized: Schema.Boolean, data: Schema.Unknown })
          )
        )
        const parsed = types.SignedBeaconBlock.fromJson(text.data)
        assert.deepStrictEqual(types.SignedBeaconBlock.serialize(parsed), full.body)
        assert.strictEqual(text.version, block.fork)
        assert.strictEqual(text.finalized, block.slot <= 2 * 32)
      }
    })
  )

  it.scoped("tells what the blobs of a block were, and which columns of it were published", () =>
    Effect.gen(function* () {
      const { chain, data, request, state } = yield* start
      for (const block of [...state.canonical.values()].slice(-3)) {
        const told = yield* data(`/devnet/blobs?slot=${block.slot}`)
        assert.deepStrictEqual(told, {
          root: block.root,
          blobs: blobsOf(chain.pool, block).map(toHex),
          published: Array.from({ length: 128 }, (_, column) => column)
        })
      }
      assert.strictEqual((yield* request("/devnet/blobs?slot=100000")).status, 404)
      assert.strictEqual((yield* request("/devnet/blobs")).status, 404)
    })
  )

  it.scopedLive("knows blocks by name, and headers, roots and checkpoints", () =>
    Effect.gen(function* () {
      const { chain, data, request, state } = yield* start
      const empty = Array.from({ length: 128 }, (_, slot) => slot).find((slot) => !state.canonical.has(slot))
      assert.isDefined(empty)
      const root = (id: string) => data(`/eth/v1/beacon/blocks/${id}/root`)
      const final = finalized(chain.parameters, state)
      assert.deepStrictEqual(yield* root("head"), { root: state.head.root })
      assert.deepStrictEqual(yield* root("genesis"), { root: state.genesis.root })
      assert.deepStrictEqual(yield* root("finalized"), { root: final.root })
      assert.deepStrictEqual(yield* root(state.head.root.toUpperCase().replace("0X", "0x")), { root: state.head.root })
      assert.deepStrictEqual(yield* data("/eth/v1/beacon/states/head/finality_checkpoints"), {
        previous_justified: { epoch: "2", root: final.root },
        current_justified: { epoch: "3", root: state.canonical.get(96)?.root },
        finalized: { epoch: "2", root: final.root }
      })
      const header = ssz.phase0.SignedBeaconBlockHeader.toJson(state.head.header)
      const expected = { root: state.head.root, canonical: true, header }
      assert.deepStrictEqual(yield* data("/eth/v1/beacon/headers/head"), expected)
      assert.deepStrictEqual(yield* data("/eth/v1/beacon/headers"), [expected])
      assert.deepStrictEqual(yield* data(`/eth/v1/beacon/headers?slot=${state.head.slot}`), [expected])
      assert.deepStrictEqual(yield* data(`/eth/v1/beacon/headers?slot=${empty}`), [])

      const cases: ReadonlyArray<readonly [string, number, string?]> = [
        [`/eth/v2/beacon/blocks/${empty}`, 404],
        ["/eth/v2/beacon/blocks/999999", 404],
        [`/eth/v2/beacon/blocks/0x${"ab".repeat(32)}`, 404],
        ["/eth/v2/beacon/blocks/0xabcd", 400],
        ["/eth/v2/beacon/blocks/-1", 400],
        ["/eth/v2/beacon/blocks/latest", 400],
        ["/eth/v2/beacon/blocks/head", 406, "text/html"],
        ["/eth/v1/beacon/headers?slot=abc", 400],
        ["/eth/v1/beacon/states/99999/finality_checkpoints", 404],
        ["/eth/v1/events", 400],
        ["/eth/v1/events?topics=head,nonsense", 400],
        ["/nothing/here", 404]
      ]
      for (const [path, status, accept] of cases) {
        const response = yield* request(path, accept)
        assert.strictEqual(response.status, status, path)
        const body = yield* Effect.promise((): Promise<unknown> => response.json())
        const { code, message } = Schema.decodeUnknownSync(
          Schema.Struct({ code: Schema.Number, message: Schema.NonEmptyString })
        )(body)
        assert.strictEqual(code, status, message)
      }
    })
  )

  it.scoped("is a node with peers", () =>
    Effect.gen(function* () {
      const { data, request, state } = yield* start
      assert.deepStrictEqual(yield* data("/eth/v1/node/version"), { version: "devnet/1" })
      assert.strictEqual((yield* request("/eth/v1/node/health")).status, 200)
      assert.deepStrictEqual(yield* data("/eth/v1/node/syncing"), {
        head_slot: String(state.head.slot),
        sync_distance: "0",
        is_syncing: false,
        is_optimistic: false,
        el_offline: false
      })
      assert.include(yield* data("/eth/v1/node/identity"), { peer_id: "16Uiu2node", enr: "enr:-node" })
      const peer = {
        peer_id: "16Uiu2peer",
        enr: "enr:-peer",
        last_seen_p2p_address: "/ip4/127.0.0.1/tcp/9000",
        state: "connected",
        direction: "outbound"
      }
      assert.deepStrictEqual(yield* data("/eth/v1/node/peers"), [peer])
      assert.deepStrictEqual(yield* data("/eth/v1/node/peers?state=disconnected"), [])
      assert.deepStrictEqual(yield* data("/eth/v1/node/peers/16Uiu2peer"), peer)
    })
  )

  it.scopedLive("sends events, and makes a reorg when told to", () =>
    Effect.gen(function* () {
      const { chain, request, state, url } = yield* start
      const response = yield* Effect.promise((signal) =>
        fetch(`${url}/eth/v1/events?topics=head,block&topics=chain_reorg`, { signal })
      )
      const body = response.body
      assert.isNotNull(body)
      const frames = yield* Stream.fromReadableStream(() => body, String).pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.filter((line) => line.length > 1),
        Stream.takeUntil((line) => line === "event: head"),
        Stream.runCollect,
        Effect.fork
      )
      // The first comment is on its way before the reorg: the subscription stands.
      const reorg = yield* request("/devnet/reorg?depth=4", undefined, "POST")
      assert.strictEqual(reorg.status, 200)
      const after = yield* chain.state
      assert.notStrictEqual(after.head.root, state.head.root)
      const lines = [...(yield* Fiber.join(frames))]
      assert.strictEqual(lines.at(-1), "event: head")
      const at = lines.indexOf("event: chain_reorg")
      const event = Schema.decodeSync(
        Schema.parseJson(
          Schema.Struct({ old_head_block: Schema.String, new_head_block: Schema.String, depth: Schema.String })
        )
      )((lines[at + 1] ?? "").replace("data: ", ""))
      assert.strictEqual(event.old_head_block, state.head.root)
      assert.strictEqual(event.new_head_block, after.head.root)
      assert.isAbove(lines.filter((line) => line === "event: block").length, 0)
      assert.strictEqual((yield* request("/devnet/reorg?depth=400", undefined, "POST")).status, 400)
      assert.strictEqual((yield* request("/devnet/reorg?depth=x", undefined, "POST")).status, 400)

      // The orphan is known by its root, and known to be one.
      const orphan = yield* request(`/eth/v1/beacon/headers/${state.head.root}`)
      assert.include(yield* Effect.promise(() => orphan.text()), '"canonical":false')
    })
  )

  it.scoped("says so when its port is taken", () =>
    Effect.gen(function* () {
      const blocker = yield* Effect.acquireRelease(
        Effect.async<ReturnType<typeof createServer>>((resume) => {
          const server = createServer()
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
      )
      const address = blocker.address()
      assert.isTrue(typeof address === "object" && address !== null)
      const port = typeof address === "object" && address !== null ? address.port : 0
      const chain = yield* makeDevChain({
        parameters: devnetParameters(3, 2000, Math.floor(Date.now() / 1000)),
        pool: fakePool,
        seed: 3
      })
      const node = {
        version: "",
        identity: { peerId: "", enr: "" },
        peers: Effect.succeed([]),
        accounts: Effect.succeed([])
      }
      const error = yield* Effect.flip(Effect.scoped(serveBeaconApi(chain, node, port)))
      assert.match(error.message, /cannot listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/)
    })
  )

  it("stops with events still being read", () =>
    Effect.runPromise(
      Effect.gen(function* () {
        const started = yield* Effect.scoped(
          Effect.gen(function* () {
            const { url } = yield* start
            yield* Effect.promise(() => fetch(`${url}/eth/v1/events?topics=head`))
            return Date.now()
          })
        )
        assert.isBelow(Date.now() - started, 2000)
      })
    ))

  it.each([
    ["", "application/json"],
    ["*/*", "application/json"],
    ["application/octet-stream", "application/octet-stream"],
    ["application/octet-stream;q=1.0,application/json;q=0.9", "application/octet-stream"],
    ["application/json, application/octet-stream;q=0.5", "application/json"],
    ["application/octet-stream;q=0.1, */*;q=0.5", "application/json"],
    ["text/html", undefined],
    ["application/json;q=nonsense", undefined]
  ])("takes Accept %j for %s", (accept, format) => {
    assert.strictEqual(preferredFormat(accept), format)
  })
})
