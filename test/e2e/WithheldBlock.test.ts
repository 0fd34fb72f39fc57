import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import type { ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { Event } from "../../src/domain/Event.ts"
import { Snapshot } from "../../src/Dasmon.ts"
import { connect } from "../http/Client.ts"
import { eventually } from "../Eventually.ts"
import { getJson, start } from "./Program.ts"

const seed = 5
const peers: ReadonlyArray<ProfileName> = [
  "honest",
  "supernode",
  "supernode",
  "supernode",
  "supernode",
  "supernode",
  "withheld-block",
  "bad-gossip",
  "late-gossip",
  "gossip-only"
]
const slotMs = 2500
/** The slot at which the network starts. */
const firstSlot = 256
/** What `withheld-block` brings: the first of these is 50 seconds after the start, and the second is there if it was missed. */
const withheld = [20, 60, 100].map((offset) => firstSlot + offset)

describe("the program over its own network", () => {
  it.scopedLive(
    "finds a block that is withheld within two slots, tells of arrivals, and accuses nobody but who lies",
    () =>
      Effect.gen(function* () {
        const program = yield* start([
          "--http-addr=127.0.0.1:0",
          `--seed=${seed}`,
          `--slot-duration=${slotMs}ms`,
          `--peers=${peers.join(",")}`
        ])
        const [, base = ""] = yield* program.printed(/open (http:\S+)/, "120 seconds")
        const { next } = yield* connect(`${base}/ws`)
        const events: Array<Event> = []
        yield* next.pipe(
          Effect.tap((message) =>
            Effect.sync(() => events.push(...Option.toArray(Schema.decodeUnknownOption(Event)(message))))
          ),
          Effect.forever,
          Effect.forkScoped
        )
        const verdicts = () => events.flatMap((event) => (event._tag === "SlotAvailability" ? [event] : []))
        const found = yield* eventually(
          Effect.sync(() => {
            const one = verdicts().find(({ verdict }) => verdict === "unavailable")
            return one ?? assert.fail(JSON.stringify(verdicts().map(({ reason, slot }) => [slot, reason])))
          }),
          "3 minutes",
          "500 millis"
        )
        assert.include(withheld, found.slot)
        assert.isAtMost(found.decidedAfterMs, 2 * slotMs)
        assert.lengthOf(found.absent, 65)
        assert.isAbove(events.filter(({ _tag }) => _tag === "ColumnArrival").length, 0)
        assert.match(program.output(), new RegExp(`slot ${found.slot} UNAVAILABLE`))
        assert.match(program.output(), /slot \d+: \d+ columns? by gossip, first \d+ ms, last \d+ ms/)

        const liar = identityOf(seed, peers.indexOf("gossip-only")).peerId
        const snapshot = Effect.flatMap(getJson(base, "/snapshot"), Schema.decodeUnknown(Snapshot))
        const last = yield* eventually(
          Effect.map(snapshot, (now) => {
            assert.strictEqual(now.peers.find(({ peerId }) => peerId === liar)?.verdict, "violating")
            return now
          }),
          "3 minutes",
          "500 millis"
        )
        const accused = last.peers.filter(({ verdict }) => verdict === "violating" || verdict === "evasive")
        assert.deepStrictEqual(
          accused.map(({ peerId }) => peerId),
          [liar]
        )
        for (const { slot, verdict } of verdicts()) {
          if (withheld.includes(slot)) assert.notStrictEqual(verdict, "available")
          else assert.notStrictEqual(verdict, "unavailable")
        }
        yield* program.signal("SIGINT")
        const [code] = yield* program.exited("10 seconds")
        assert.strictEqual(code, 0)
      })
  )
})
