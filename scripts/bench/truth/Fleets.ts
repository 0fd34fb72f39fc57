import { between, chance, pick } from "./Chance.ts"
import type { MakeConduct } from "./Conduct.ts"
import { escapingLiars } from "./Escapes.ts"
import type { FleetOptions, Member } from "./Fleet.ts"
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

/** Everything that is watched: peers in all kinds of trouble, and among them liars of each kind. */
export const fleetsOf = (quick: boolean): ReadonlyArray<FleetOptions> => {
  const half = Math.ceil(plainLiars.length / 2)
  const members = [...oneOfEach, ...brokenPeers, ...liarsOf(plainLiars.slice(0, half))]
  const withholding = plainLiars.filter(({ withholds }) => withholds !== undefined)
  const rules = presentRules
  if (quick) return [{ seed: 10, hours: 0.4, retentionEpochs: 16, rules, members }]
  return [
    { seed: 11, hours: 0.6, retentionEpochs: 64, rules, members },
    {
      seed: 12,
      hours: 0.6,
      retentionEpochs: 512,
      rules,
      members: [...honestPeers(20, 12), ...liarsOf(plainLiars.slice(half))]
    },
    { seed: 13, hours: 4.5, retentionEpochs: 64, rules, members: [...honestPeers(6, 13), ...liarsOf(escapingLiars)] },
    { seed: 14, hours: 0.9, retentionEpochs: 4096, rules, members: honestPeers(16, 14), troubles: nodeTroubles },
    { seed: 15, hours: 1.6, retentionEpochs: 64, rules, members: honestPeers(10, 15), stalledHours: [0.2, 1] },
    {
      seed: 16,
      hours: 0.6,
      retentionEpochs: 512,
      rules,
      members: [...honestPeers(8, 16), ...Array.from({ length: 5 }, () => liarsOf(withholding)).flat()]
    }
  ]
}
