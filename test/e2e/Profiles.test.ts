import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fromHex } from "../../src/domain/Bytes.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import type { Event } from "../../src/domain/Event.ts"
import { custodyRequirement } from "../../src/domain/network/Chain.ts"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import type { InvalidCheck, OutcomeKind } from "../../src/domain/probe/Outcome.ts"
import { isHonest, isStrict, type ProfileName, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { type Accusation, accusationsIn, fateOf } from "../../scripts/soak/Judge.ts"
import { assertFair, confirmAfterMs, patiently, watchDevnet, whenTrue } from "./Watched.ts"

/** Honest clients in trouble of every kind, and what is odd about each; those that throw guests out have `Guests.test.ts`. */
const messy = profileNames.filter(
  (name) => isHonest(name) && !isStrict(name) && name !== "honest" && name !== "supernode"
)

/** What each liar is to be blamed for, and for nothing else. */
const crimes = {
  withhold: { outcome: "missing" },
  prune: { outcome: "missing" },
  overclaim: { outcome: "missing" },
  unavailable: { outcome: "unavailable" },
  garbage: { outcome: "malformed" },
  oversize: { outcome: "malformed" },
  "corrupt-cell": { outcome: "invalid", check: "kzg_proof" },
  "wrong-commitments": { outcome: "invalid", check: "commitments" },
  "wrong-block": { outcome: "invalid", check: "header" },
  "bad-inclusion": { outcome: "invalid", check: "inclusion_proof" },
  "escape-status": { outcome: "missing" },
  "escape-root": { outcome: "missing" },
  "escape-hangup": { outcome: "missing" },
  "moving-claim": { outcome: "missing" },
  "gossip-only": { outcome: "missing" },
  "all-wrong": { outcome: "invalid", check: "kzg_proof" }
} satisfies Partial<Record<ProfileName, { readonly outcome: OutcomeKind; readonly check?: InvalidCheck }>>

const liars = profileNames.filter((name): name is keyof typeof crimes => Object.hasOwn(crimes, name))
/**
 * Columns that it claims anew are owed only from a margin after that: it takes minutes to be found out. The soak waits
 * for it; here it must not be blamed for anything else meanwhile.
 */
const isSlow = (profile: ProfileName): boolean => profile === "moving-claim"

const hasEscaped = (profile: ProfileName): boolean => profile.startsWith("escape-") || profile === "moving-claim"

describe("honest clients in trouble", () => {
  it.scopedLive("are never accused, through reorgs, whatever they leave out, refuse or take long for", () =>
    Effect.gen(function* () {
      const watched = yield* watchDevnet({ peers: ["honest:2", "withhold", ...messy].join(","), seed: 21 })
      for (const depth of [1, 3, 2, 1]) {
        yield* patiently(8000)
        yield* watched.tell(`reorg?depth=${depth}`)
      }
      // The liar beside them is found, so that the others had their chance to be.
      const { peers } = yield* whenTrue(
        watched,
        (peers) =>
          peers.filter(({ outcomes, peerId, verdict }) =>
            watched.profileOf(peerId) === "withhold" ? verdict !== "violating" : outcomes.success === 0
          ),
        "4 minutes"
      )
      assert.strictEqual(peers.length, messy.length + 3)
      for (const { peerId } of peers) {
        const { failing, suspected } = yield* watched.detail(peerId)
        if (isHonest(watched.profileOf(peerId))) assert.strictEqual(failing, 0)
        for (const { askAgainAt, since } of suspected) assert.isAtLeast(askAgainAt - since, confirmAfterMs)
      }
      const events = yield* watched.finish
      assertFair(watched, events, (profile) => profile !== "withhold")
      // It was no easy walk: some of them were suspected, and delivered when they were asked again.
      const dropped = events.filter(
        (event) =>
          event._tag === "Sampling" &&
          event.probe.purpose === "confirmation" &&
          event.probe.outcomes.some(({ outcome }) => outcome === "success")
      )
      assert.isAbove(dropped.length, 0)
    })
  )
})

describe("peers that lie", () => {
  it.scopedLive("are found out, each for what it lacks or corrupts and nothing else, after a second conversation", () =>
    Effect.gen(function* () {
      const watched = yield* watchDevnet({ peers: ["honest:8", ...liars].join(","), seed: 22 })
      const { profileOf } = watched
      const { peers } = yield* whenTrue(
        watched,
        (peers) =>
          peers.filter(({ peerId, verdict }) => {
            const profile = profileOf(peerId)
            if (fateOf(profile) === "blameless") return verdict !== "compliant"
            return !isSlow(profile) && verdict !== "violating" && !(verdict === "evasive" && hasEscaped(profile))
          }),
        "4 minutes"
      )
      assert.strictEqual(peers.length, liars.length + 8)
      const events = yield* watched.finish
      assertFair(watched, events, (profile) => fateOf(profile) === "blameless")
      for (const accusation of accusationsIn(events)) {
        const { check, outcome, peerId, reason } = accusation
        const profile = profileOf(peerId)
        const crime = liars.find((name) => name === profile)
        assert.isDefined(crime, reason)
        assert.deepStrictEqual(
          { outcome, ...(check === undefined ? {} : { check }) },
          crime === undefined ? undefined : { ...crimes[crime] },
          `${profile}: ${reason}`
        )
        const peer = peers.find((view) => view.peerId === peerId)
        assert.deepStrictEqual(peer === undefined ? [] : contradictions(accusation, profile, peer, events), [], profile)
      }
    })
  )
})

/** What the peer delivered and could not have, if it were rightly accused. */
const contradictions = (
  { askedAt, column, outcome, slot }: Accusation,
  profile: ProfileName,
  { nodeId, peerId }: PeerView,
  events: ReadonlyArray<Event>
): ReadonlyArray<unknown> => {
  if (outcome !== "missing") return []
  const delivered = events.flatMap((event) =>
    event._tag === "Sampling" && event.probe.job.peerId === peerId
      ? event.probe.outcomes.filter(
          (one) => one.outcome === "success" && (profile !== "prune" || event.probe.startedAt >= askedAt)
        )
      : []
  )
  switch (profile) {
    case "prune":
      return delivered.filter((one) => one.slot <= slot)
    case "overclaim":
    case "moving-claim":
      return custodyColumns(fromHex(nodeId ?? ""), custodyRequirement).filter((kept) => kept === column)
    default:
      // Of a column that is withheld nothing is ever delivered.
      return delivered.filter((one) => one.column === column)
  }
}
