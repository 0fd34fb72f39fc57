import { writeFileSync } from "node:fs"
import { createServer, type Socket } from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import { ScanState } from "../../src/domain/scan/ScanRequest.ts"
import { ScanReport } from "../../src/domain/scan/ScanReport.ts"
import { fakeNode, json } from "../host/beacon-api/FakeNode.ts"
import { startNetwork, temporaryFolder } from "./Network.ts"
import { eventually } from "../Eventually.ts"
import { start } from "./Program.ts"

const decodeReport = Schema.decode(Schema.parseJson(ScanReport), { onExcessProperty: "error" })

const decodeState = Schema.decode(Schema.parseJson(ScanState), { onExcessProperty: "error" })

/** Runs `dasmon scan` to its end, with this on its standard input. */
const scan = (parameters: ReadonlyArray<string>, input = "") =>
  Effect.gen(function* () {
    const program = yield* start(["scan", ...parameters], { input })
    const [code] = yield* program.exited("4 minutes")
    return { code, output: program.output(), errors: program.errors() }
  })

const reportsIn = (output: string) =>
  Effect.forEach(
    output.split("\n").filter((line) => line !== ""),
    (line) => decodeReport(line)
  )

/** The port of somebody who takes every connection and says nothing. */
const listenSilently = Effect.map(
  Effect.acquireRelease(
    Effect.async<{ readonly port: number; readonly close: () => void }, Error>((resume) => {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => void sockets.add(socket.on("error", () => {})))
      server.once("error", (error) => resume(Effect.fail(error)))
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        const close = () => {
          for (const socket of sockets) socket.destroy()
          server.close()
        }
        resume(Effect.succeed({ port, close }))
      })
    }),
    ({ close }) => Effect.sync(close)
  ),
  ({ port }) => port
)

const quiet = identityOf(99, "quiet").peerId
const gone = identityOf(99, "gone").peerId

describe("dasmon scan", () => {
  it.scopedLive(
    "says of honest and dishonest nodes at once what each is, as JSON, and fails on what it is told to",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        const { beaconApi, peers } = yield* startNetwork(
          "--peers honest:4,supernode,withhold,prune,corrupt-cell,throttle,wrong-network,fresh,anchor,drip --slot-duration 500ms --seed 5"
        )
        const file = join(folder, "nodes.txt")
        writeFileSync(file, peers.map(({ enr, profile }) => `${enr}  # ${profile}`).join("\n"))
        // Nobody listens there, and one that says nothing must hold up no other.
        const silentPort = yield* listenSilently
        const targets = [`/ip4/127.0.0.1/tcp/${silentPort}/p2p/${quiet}`, `/ip4/127.0.0.1/tcp/1/p2p/${gone}`]
        const ran = yield* scan([
          "--beacon-api",
          beaconApi,
          "--format",
          "json",
          "--concurrency",
          "16",
          "--file",
          file,
          ...targets
        ])
        assert.strictEqual(ran.code, 1, ran.errors)
        const reports = yield* reportsIn(ran.output)
        assert.strictEqual(reports.length, peers.length + targets.length)
        const of = (profile: string) => {
          const ids = new Set(peers.filter((peer) => peer.profile === profile).map(({ peerId }) => peerId))
          return reports.filter(({ peerId }) => ids.has(peerId))
        }
        for (const profile of ["honest", "supernode", "fresh", "anchor"]) {
          for (const report of of(profile)) {
            // One that has just grown may own nothing yet that is old enough to be asked for.
            if (profile !== "fresh" || report.verdict !== "unknown") {
              assert.strictEqual(report.verdict, "compliant", `${profile}: ${report.sentence}`)
              assert.isAbove(report.outcomes.success, 0)
            }
            assert.isTrue(report.reached)
            assert.strictEqual(report.pings.filter(({ ms }) => ms !== null).length, 3, profile)
            assert.deepStrictEqual(
              report.checks.filter(({ result }) => result === "bad"),
              [],
              profile
            )
          }
        }
        for (const profile of ["withhold", "prune", "corrupt-cell"]) {
          // Where many are suspect at once nobody is accused of what is left out.
          for (const { sentence, verdict } of of(profile)) assert.include(["violating", "suspected"], verdict, sentence)
        }
        assert.deepStrictEqual(
          of("corrupt-cell").map(({ outcomes, verdict }) => [verdict, outcomes.invalid > 0]),
          [["violating", true]]
        )
        assert.deepStrictEqual(
          ["throttle", "wrong-network"].map((profile) => of(profile).map(({ verdict }) => verdict)),
          [["refusing"], ["refusing"]]
        )
        const unreached = reports.filter(({ peerId }) => peerId === quiet || peerId === gone)
        assert.deepStrictEqual(
          unreached.map(({ reached, verdict }) => [verdict, reached]),
          [
            ["unreachable", false],
            ["unreachable", false]
          ]
        )
        assert.deepStrictEqual(
          of("withhold").map(({ verdict }) => verdict),
          ["violating"]
        )
      })
  )

  it.scopedLive("has an exit code for each way in which a run may end, and a table for a person", () =>
    Effect.gen(function* () {
      const { beaconApi, peers } = yield* startNetwork("--peers honest,withhold,prune --slot-duration 500ms --seed 6")
      const [honest, withhold, prune] = peers
      if (honest === undefined || withhold === undefined || prune === undefined) return assert.fail("too few peers")
      const node = ["--beacon-api", beaconApi]

      // By its id alone, on standard input, behind a comment.
      const well = yield* scan([...node, "-"], `# mine\n${honest.peerId}\n`)
      assert.strictEqual(well.code, 0, well.errors)
      assert.match(well.output, /address +\/ip4\/127\.0\.0\.1\/tcp\/\d+ \(from the beacon node\)/)
      assert.match(well.output, /COMPLIANT: All is well: all \d+ columns asked for in \d+ slots came and verify/)
      for (const line of well.output.split("\n")) assert.isAtMost([...line].length, 80, line)
      assert.notInclude(well.output + well.errors, "\r")

      const [bad, tolerated, away] = yield* Effect.all(
        [
          scan([...node, withhold.multiaddr, prune.enr, "--slots", "8"]),
          scan([...node, "--fail-on", "none", withhold.enr, "--slots", "4"]),
          scan([...node, `/ip4/127.0.0.1/tcp/1/p2p/${honest.peerId}`])
        ],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(bad.code, 1, bad.output + bad.errors)
      assert.match(bad.output, /VIOLATING: This node does not serve what it claims/)
      assert.match(bad.output, /2 scanned: 2 violating/)
      assert.strictEqual(tolerated.code, 0, tolerated.output + tolerated.errors)
      assert.strictEqual(away.code, 3, away.output + away.errors)

      const wrong = yield* scan([...node, "hello", honest.enr])
      assert.deepStrictEqual([wrong.code, wrong.output], [2, ""])
      assert.match(wrong.errors, /^dasmon scan: argument 1: hello: this names no peer; allowed is an ENR/)
      const nobody = yield* scan(node)
      assert.deepStrictEqual([nobody.code, nobody.output], [2, ""])
      const unnamed = yield* scan(["--fail-on", "worse", ...node, honest.enr])
      assert.strictEqual(unnamed.code, 2)
      const nowhere = yield* scan([honest.enr])
      assert.strictEqual(nowhere.code, 2)
      assert.match(nowhere.errors, /--beacon-api URL, or --config FILE/)
      const blind = yield* scan(["--beacon-api", "http://127.0.0.1:1", honest.enr])
      assert.deepStrictEqual([blind.code, blind.output], [4, ""])
    })
  )
})

describe("a running monitor", () => {
  it.scopedLive("scans a node that it does not know when it is asked to, and dasmon scan works beside it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork("--peers honest,honest --slot-duration 500ms --seed 7")
      const [known, unknown] = peers
      if (known === undefined || unknown === undefined) return assert.fail("too few peers")
      const config = join(folder, "config.yaml")
      writeFileSync(
        config,
        [
          `beacon_api: ${beaconApi}`,
          `database_path: ${join(folder, "dasmon.db")}`,
          "http_addr: 127.0.0.1:0",
          "http: { token: tell-nobody }",
          "discovery: { beacon_peers: false }",
          `peers: [${known.enr}]`
        ].join("\n")
      )
      const program = yield* start(["run", "--config", config])
      const [, base = ""] = yield* program.printed(/open (http:\S+)/, "60 seconds")
      const ask = (path: string, body?: string) =>
        Effect.promise(async (signal) => {
          const response = await fetch(`${base}${path}`, {
            signal,
            headers: { authorization: "Bearer tell-nobody" },
            ...(body === undefined ? {} : { method: "POST", body })
          })
          return [response.status, await response.text()] as const
        })
      const [status, text] = yield* ask("/scan", JSON.stringify({ target: unknown.enr, slots: 4 }))
      assert.strictEqual(status, 202, text)
      const { id } = yield* decodeState(text)
      const beside = yield* scan(["--config", config, known.peerId, "--slots", "4"])
      assert.strictEqual(beside.code, 0, beside.output + beside.errors)
      const { report } = yield* eventually(
        Effect.flatMap(ask(`/scan/${id}`), ([, text]) => decodeState(text)).pipe(
          Effect.filterOrFail(({ report }) => report !== null)
        ),
        "2 minutes",
        "500 millis"
      )
      assert.strictEqual(report?.verdict, "compliant", report?.sentence)
      assert.strictEqual(report?.peerId, unknown.peerId)
      const [, listed] = yield* ask("/peers")
      assert.notInclude(listed, unknown.peerId)
    })
  )
})

describe("a database that a running monitor writes", () => {
  it.scopedLive("says where a peer is of which only the id is known, though the beacon node does not know it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const { beaconApi, peers } = yield* startNetwork("--peers honest,honest --slot-duration 500ms --seed 9")
      const [one, other] = peers
      if (one === undefined || other === undefined) return assert.fail("too few peers")
      const { url } = yield* fakeNode({
        upstream: beaconApi,
        handle: (path, _, response) => {
          const isOfPeers = path.startsWith("/eth/v1/node/peers")
          if (isOfPeers) json(response, { code: 404, message: "not found" }, 404)
          return isOfPeers
        }
      })
      const db = join(folder, "dasmon.db")
      const monitor = yield* start([
        "run",
        `--beacon-api=${url}`,
        `--database-path=${db}`,
        "--http-addr=127.0.0.1:0",
        "--discovery-beacon-peers=false",
        `--peers=${one.enr}`
      ])
      yield* monitor.printed(/open http:\S+/, "60 seconds")
      const node = ["--beacon-api", url, "--slots", "2"]
      const known = yield* eventually(
        Effect.filterOrFail(scan([...node, "--db", db, one.peerId]), ({ code }) => code === 0),
        "90 seconds"
      )
      assert.match(known.output, /\(from the address\s+book/)
      // Named by a configuration, or by where `run` keeps it.
      const [configured, unknown] = yield* Effect.all(
        [
          start(["monitor", "--beacon-api", url, one.peerId], { env: { ...process.env, DASMON_DATABASE_PATH: db } }),
          scan([...node, "--db", db, other.peerId])
        ],
        { concurrency: "unbounded" }
      )
      yield* configured.printed(/asked +slots? \d+.*: \d+ success in \d+ ms/, "90 seconds")
      assert.strictEqual(unknown.code, 3, unknown.output + unknown.errors)
      assert.include(unknown.output.replaceAll(/\s+/g, " "), "neither the beacon node nor a database knows where it is")
      for (const program of [configured, monitor]) {
        yield* program.signal("SIGTERM")
        assert.strictEqual((yield* program.exited("20 seconds"))[0], 0, program.errors())
      }
    })
  )
})

describe("dasmon monitor", () => {
  it.scopedLive("follows one node, tells every probe of it, and ends when it is told to", () =>
    Effect.gen(function* () {
      const { beaconApi, peers } = yield* startNetwork("--peers honest,honest --slot-duration 500ms --seed 8")
      const [one, other] = peers
      if (one === undefined || other === undefined) return assert.fail("too few peers")
      const program = yield* start(["monitor", "--beacon-api", beaconApi, one.peerId])
      yield* program.printed(/following \S+ by http:\S+; nothing is kept/, "60 seconds")
      yield* program.printed(/claims +\d+ groups, columns/, "60 seconds")
      yield* program.printed(/asked +slots? \d+.*: \d+ success in \d+ ms/, "60 seconds")
      assert.notInclude(program.output(), other.peerId)
      yield* program.signal("SIGINT")
      const [code] = yield* program.exited("15 seconds")
      assert.strictEqual(code, 0, program.errors())
      const wrong = yield* start(["monitor", "--beacon-api", beaconApi, "hello"])
      assert.deepStrictEqual((yield* wrong.exited("30 seconds"))[0], 2)
    })
  )
})
