import { Duration } from "effect"
import { between, chance, pick } from "./Chance.ts"
import type { MakeConduct } from "./Conduct.ts"
import { escapingLiars } from "./Escapes.ts"
import type { FleetOptions } from "./Fleet.ts"
import type { Member } from "./Member.ts"
import { brokenFiles, honestAnswers } from "./HonestAnswers.ts"
import { honestChanges, honestRestarts } from "./HonestChanges.ts"
import { honestClaims, honestStores } from "./HonestStores.ts"
import { type Liar, plainLiars } from "./Liars.ts"
import type { NodeTrouble } from "./BeaconNode.ts"
import { presentRules } from "./Rules.ts"

const compatible: ReadonlyArray<MakeConduct> = [...honestAnswers, ...honestStores, ...honestRestarts]
const exclusive: ReadonlyArray<MakeConduct> = [...honestClaims, ...honestChanges]
const everyConduct: ReadonlyArray<MakeConduct> = [...compatible, ...exclusive]

/** One honest peer of each kind of trouble. */
export const oneOfEach: ReadonlyArray<Member> = everyConduct.map((one) => ({ kind: "honest", conducts: [one] }))

/** As many honest peers, each with up to three kinds of trouble at once. */
const honestPeers = (count: number, seed: number): ReadonlyArray<Member> =>
  Array.from({ length: count }, (_, index) => {
    const draw = (salt: number): number => chance(seed, index, salt)
    const first = everyConduct[Math.floor(draw(1) * everyConduct.length + index) % everyConduct.length]
    const others = Array.from({ length: between(0, 2, draw(2)) }, (_, nth) => pick(compatible, draw(3 + nth)))
    return { kind: "honest", conducts: [...new Set([...(first === undefined ? [] : [first]), ...others])] }
  })

const brokenPeers: ReadonlyArray<Member> = brokenFiles.map((one) => ({ kind: "broken file", conducts: [one] }))

export const liarsOf = (liars: ReadonlyArray<Liar>): ReadonlyArray<Member> =>
  liars.map((liar) => ({ kind: "liar", conducts: [liar.make], liar }))

const minutes = 60_000

/** What our own beacon node gets wrong in a fleet that lasts an hour. */
const nodeTroubles = (startedAt: number, slot: number): ReadonlyArray<NodeTrouble> => {
  const trouble = (kind: NodeTrouble["kind"], from: number, lasts: number, about: number): NodeTrouble => ({
    kind,
    from: startedAt + from * minutes,
    until: startedAt + (from + lasts) * minutes,
    slot: about
  })
  return [
    trouble("unreachable", 3, 4, 0),
    trouble("slot", 8, 5, slot - 300),
    trouble("empty slot", 15, 6, slot - 40),
    trouble("branch", 22, 24, slot + 100),
    trouble("behind", 50, 5, 0)
  ]
}

/** Keeps more than it must, as most do. */
const custody: MakeConduct = ({ seed }) => ({ name: "custody", groups: pick([4, 8, 16], chance(seed, 4)) })

/** The others, as they are. */
const keepingMore = (members: ReadonlyArray<Member>): ReadonlyArray<Member> =>
  members.map((member) => ({ ...member, conducts: [custody, ...member.conducts] }))

/** Everything that is watched: peers in all kinds of trouble, and among them liars of each kind. */
export const fleetsOf = (quick: boolean): ReadonlyArray<FleetOptions> => {
  const half = Math.ceil(plainLiars.length / 2)
  const members = [...oneOfEach, ...brokenPeers, ...liarsOf(plainLiars.slice(0, half))]
  const withholding = plainLiars.filter(({ withholds }) => withholds !== undefined)
  const rules = presentRules
  if (quick) {
    return [{ seed: 10, hours: 0.4, testInterval: Duration.seconds(15), retentionEpochs: 32, rules, members }]
  }
  return [
    {
      seed: 11,
      hours: 0.5,
      testInterval: Duration.seconds(10),
      retentionEpochs: 64,
      rules,
      members: keepingMore(members)
    },
    {
      seed: 12,
      hours: 0.6,
      testInterval: Duration.seconds(10),
      retentionEpochs: 512,
      rules,
      members: keepingMore([...honestPeers(8, 12), ...liarsOf([...plainLiars.slice(half), ...withholding])])
    },
    // What goes by `confirm_after` is watched for longer; whoever says that it is too much is asked sixteen times less.
    {
      seed: 13,
      hours: 2.75,
      testInterval: Duration.seconds(10),
      retentionEpochs: 64,
      rules,
      members: keepingMore([...honestPeers(8, 13), ...liarsOf(escapingLiars)])
    },
    {
      seed: 14,
      hours: 0.9,
      testInterval: Duration.seconds(20),
      retentionEpochs: 512,
      rules,
      members: keepingMore(honestPeers(20, 14)),
      troubles: nodeTroubles
    },
    {
      seed: 15,
      hours: 1.6,
      testInterval: Duration.seconds(30),
      retentionEpochs: 64,
      rules,
      members: keepingMore(honestPeers(18, 15)),
      stalledHours: [0.2, 1]
    }
  ]
}
