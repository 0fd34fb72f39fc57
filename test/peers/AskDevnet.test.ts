import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { ProfileName } from "../../src/devnet/profiles/Profiles.ts"
import { hasColumns } from "../../src/domain/network/Block.ts"
import { History } from "../../src/history/store/History.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { eventually } from "../Eventually.ts"
import { peersOf, start, view, watching } from "./OverDevnet.ts"

/** The newest slot with columns. */
const newest = Effect.gen(function* () {
  const commitments = yield* CommitmentCache
  const head = yield* commitments.headSlot
  const facts = yield* commitments.range({ start: head - 8, end: head })
  const slots = facts.flatMap((fact) => (fact._tag === "Block" && hasColumns(fact.block) ? [fact.block.slot] : []))
  return yield* Option.fromNullable(slots.at(-1))
})

describe("a question for columns, over real sockets", () => {
  it.scopedLive(
    "is answered by honest peers at the newest slot, and one that has not got it yet is not blamed or suspected",
    () =>
      Effect.gen(function* () {
        const devnet = yield* start(["honest", "late-columns", "supernode", "withhold"], 5)
        yield* Effect.gen(function* () {
          const peers = yield* Peers
          const history = yield* History
          const all = yield* peersOf(devnet)
          yield* eventually(
            Effect.forEach(all, ({ peerId }) =>
              Effect.map(view(peerId), (one) => assert.isTrue(one.connected && one.custody !== null, peerId))
            ),
            "1 minute"
          )
          const came = new Map<ProfileName, { proven: number; absent: number }>()
          for (let round = 0; round < 8; round++) {
            const slot = yield* eventually(newest, "20 seconds")
            const asked = yield* Effect.forEach(
              all,
              ({ peerId, profile }) =>
                Effect.gen(function* () {
                  const columns = (yield* view(peerId)).custody?.columns.slice(0, 4) ?? []
                  const question = { slot, columns, within: Duration.seconds(30) }
                  // Two at once, of either purpose.
                  return yield* Effect.map(
                    Effect.all(
                      [
                        peers.ask(peerId, { ...question, purpose: "availability" }),
                        peers.ask(peerId, { ...question, purpose: "retrieval" })
                      ],
                      { concurrency: 2 }
                    ),
                    (both) => ({ profile, both })
                  )
                }),
              { concurrency: "unbounded" }
            )
            for (const { both, profile } of asked) {
              for (const { absent, probe, proven } of both) {
                const counts = came.get(profile) ?? { proven: 0, absent: 0 }
                came.set(profile, { proven: counts.proven + proven.length, absent: counts.absent + absent.length })
                assert.isTrue(Option.isSome(yield* history.probe(probe.id)))
                for (const { ssz } of proven) assert.isAbove(ssz.length, 2 * 2048)
              }
            }
          }
          for (const profile of ["honest", "supernode"] as const) {
            assert.deepStrictEqual(came.get(profile), { proven: 64, absent: 0 }, profile)
          }
          const late = came.get("late-columns") ?? { proven: 0, absent: 0 }
          assert.isAbove(late.absent, 0, "it is late, or this says nothing")
          assert.isAbove(came.get("withhold")?.absent ?? 0, 0)
          for (const { peerId, profile } of all) {
            const { score, suspicions, verdict } = yield* view(peerId)
            if (profile === "withhold") continue
            assert.deepStrictEqual([verdict, suspicions], ["compliant", 0], profile)
            if (profile !== "late-columns") assert.isAbove(score, 0.7, profile)
          }
        }).pipe(Effect.provide(watching(devnet)))
      }),
    240_000
  )

  it.scopedLive(
    "is withdrawn with its caller, and given up with the connection; a silent peer costs its caller no more than its wait",
    () =>
      Effect.gen(function* () {
        const devnet = yield* start(["honest", "silent"], 6)
        yield* Effect.gen(function* () {
          const peers = yield* Peers
          const [honest, silent] = yield* peersOf(devnet)
          if (honest === undefined || silent === undefined) return assert.fail()
          yield* eventually(
            Effect.map(view(honest.peerId), (one) => assert.isTrue(one.connected && one.custody !== null)),
            "1 minute"
          )
          const slot = yield* eventually(newest, "20 seconds")
          const columns = (yield* view(honest.peerId)).custody?.columns ?? []
          const ask = peers.ask(honest.peerId, { slot, columns, purpose: "retrieval" })
          // Given up as soon as asked, twenty times over, it is answered all the same.
          yield* Effect.forEach(Array.from({ length: 20 }), () => Effect.timeoutOption(ask, "1 millis"), {
            concurrency: "unbounded"
          })
          const { proven } = yield* ask
          assert.deepStrictEqual(
            proven.map(({ column }) => column),
            columns
          )
          const before = Date.now()
          const error = yield* Effect.flip(
            peers.ask(silent.peerId, { slot, columns: [0], purpose: "availability", within: Duration.seconds(2) })
          )
          assert.include(["NotConnected", "ProbeTookTooLong", "NothingToAsk", "TooSoon"], error._tag)
          assert.isBelow(Date.now() - before, 30_000)
        }).pipe(Effect.provide(watching(devnet)))
      }),
    180_000
  )
})
