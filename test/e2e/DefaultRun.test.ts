import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Schema } from "effect"
import { Snapshot } from "../../src/Dasmon.ts"
import { blameOf, outcomeKinds } from "../../src/domain/probe/Outcome.ts"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import type { Verdict } from "../../src/domain/peer/Verdict.ts"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import { defaultPeers } from "../../src/devnet/PeersSpec.ts"
import { isHonest, type ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { connect } from "../http/Client.ts"
import { getJson, start } from "./Program.ts"
import { scaled, scaledMs } from "../TimeLimits.ts"

const seed = 1
/** From the start of the program to the last verdict. */
const verdictLimit = "120 seconds"
/** Set it for a longer look at whether the honest stay unblamed. */
const watchMinutes = Number(process.env["DASMON_WATCH_MINUTES"] ?? "0")

const expected = (profile: ProfileName): Verdict => {
  switch (profile) {
    case "honest":
    case "supernode":
    case "truncate":
    case "fresh":
    case "flap":
    case "duplicate":
    case "unordered":
    case "unrequested":
    case "withheld-block":
    case "late-gossip":
    case "bad-gossip":
      return "compliant"
    case "silent":
    case "stall":
    case "reset":
      return "unresponsive"
    case "throttle":
    case "wrong-network":
      return "refusing"
    default:
      return "violating"
  }
}

const findingOf: Partial<Record<ProfileName, keyof PeerView["findings"]>> = {
  duplicate: "duplicate_sidecar",
  unordered: "unordered_sidecar",
  unrequested: "unrequested_sidecar"
}

const profiles = new Map(defaultPeers.map((profile, index) => [identityOf(seed, index).peerId, profile]))
const profileOf = (peerId: string): ProfileName => {
  const profile = profiles.get(peerId)
  if (profile === undefined) throw new Error(`${peerId} is no peer of the devnet`)
  return profile
}

describe("node dist/main.js", () => {
  it.scopedLive(
    "finds every dishonest profile within two minutes, blames no honest one, and stops when told to",
    () =>
      Effect.gen(function* () {
        const folder = yield* Effect.acquireRelease(
          Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-e2e-"))),
          (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
        )
        const program = yield* start(["--http-addr", "127.0.0.1:0", "--seed", String(seed)], {
          env: { ...process.env, TMPDIR: folder },
          detached: true
        })
        const found = Effect.gen(function* () {
          const [, base = ""] = yield* program.printed(/open (http:\S+)/, verdictLimit)
          const look = Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot))
          const wrong = (peers: Snapshot["peers"]) =>
            peers.filter(({ peerId, verdict }) => verdict !== expected(profileOf(peerId)))
          const done = yield* look.pipe(
            Effect.delay("1 second"),
            Effect.repeat({
              until: ({ peers }) => peers.length === profiles.size && wrong(peers).length === 0
            }),
            Effect.timeoutOption(scaled(verdictLimit)),
            Effect.flatMap(Option.match({ onNone: () => look, onSome: Effect.succeed }))
          )
          return { base, look, done, wrong: wrong(done.peers) }
        })
        const [took, { base, done, look, wrong }] = yield* Effect.timed(found)
        assert.deepStrictEqual(
          wrong.map(({ lastFailure, outcomes, peerId, verdict }) => [
            profileOf(peerId),
            verdict,
            lastFailure,
            outcomes
          ]),
          []
        )
        assert.isBelow(Duration.toMillis(took), scaledMs(verdictLimit))
        assert.isTrue(done.status.simulated)
        // All of them by discv5: the program was given one boot node, and no list.
        assert.isAbove(done.status.ownRecord?.observed.length ?? 0, 0)
        assert.strictEqual(done.status.audit.known, profiles.size)
        assert.include(program.output(), "SIMULATION")

        for (const peer of done.peers) {
          const finding = findingOf[profileOf(peer.peerId)]
          if (finding !== undefined) assert.isAbove(peer.findings[finding] ?? 0, 0, finding)
        }
        yield* Effect.sleep(Duration.minutes(watchMinutes))
        const { peers, status } = yield* look
        for (const { outcomes, peerId } of peers) {
          if (!isHonest(profileOf(peerId))) continue
          const blamed = outcomeKinds.filter((kind) => blameOf[kind] === "peer" && outcomes[kind] > 0)
          assert.deepStrictEqual(blamed, [], `${profileOf(peerId)} is honest`)
        }
        assert.strictEqual(status.defects, 0)
        for (const kind of outcomeKinds) {
          assert.isAtLeast(
            peers.reduce((sum, { outcomes }) => sum + outcomes[kind], 0),
            done.status.outcomes[kind]
          )
        }

        const { next } = yield* connect(`${base}/ws`)
        const first = yield* next
        assert.strictEqual(first._tag, "Snapshot")
        const sequences = yield* Effect.replicateEffect(next, 12).pipe(
          Effect.map((messages) => messages.flatMap((message) => ("timestamp" in message ? [message.sequence] : []))),
          Effect.timeout(scaled("60 seconds"))
        )
        const taken = first._tag === "Snapshot" ? first.sequence : 0
        assert.deepStrictEqual(
          sequences,
          sequences.map((_, index) => taken + 1 + index)
        )

        yield* program.signal("SIGINT")
        const [code, ms] = yield* program.exited("10 seconds")
        assert.deepStrictEqual([code, program.errors()], [0, ""])
        assert.isBelow(ms, scaledMs("5 seconds"))
        assert.deepStrictEqual(readdirSync(folder), [], "nothing is kept")
      }),
    { timeout: 600_000 + watchMinutes * 60_000 }
  )
})
