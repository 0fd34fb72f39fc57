import { Either, Option } from "effect"
import { type ChainParameters, epochOf, forkEpoch, slotAt } from "../../domain/network/Chain.ts"
import { digestTable, forkDigestsAround } from "../../domain/network/ForkDigest.ts"
import { chainParameters, type GenesisResponse, type SpecResponse } from "./BeaconSpec.ts"
import { knownParameters, networkOfGenesis } from "./KnownNetworks.ts"

/** What the configuration of a beacon node can be held against. */
export interface Witnesses {
  /** Unix milliseconds. */
  readonly now: number
  /** The slot that the node takes for the present one: its head, and by how much it says that it is behind. */
  readonly currentSlot: Option.Option<number>
  /** `eth2` of the node's own record. */
  readonly forkDigest: Option.Option<string>
  /** `nfd` of it. */
  readonly nextForkDigest: Option.Option<string>
}

/** The parameters to work with, and how sure they are. */
export interface Settled {
  readonly chain: ChainParameters
  /** What the node says wrong, what was taken in its place and what to do; to be put behind the node's name. */
  readonly corrections: ReadonlyArray<string>
  /** Where the node contradicts itself and nothing tells what is right: then nobody can be judged. */
  readonly doubt: Option.Option<string>
}

/**
 * Decides what is right where a node's configuration contradicts itself, its own node record, or the known network of
 * its genesis. Fails with a sentence where there is nothing to work with at all.
 */
export const settleParameters = (
  genesis: typeof GenesisResponse.Type,
  spec: typeof SpecResponse.Type,
  witnesses: Witnesses
): Either.Either<Settled, string> =>
  Either.map(chainParameters(genesis, spec), (said) => {
    const known = Option.map(networkOfGenesis(genesis), knownParameters)
    const timed = settleSlotDuration(said, spec, known, witnesses)
    const forked = settleDigests(timed.chain, known, witnesses)
    return {
      chain: forked.chain,
      corrections: [...timed.corrections, ...forked.corrections],
      doubt: Option.orElse(timed.doubt, () => forked.doubt)
    }
  })

const sure = (chain: ChainParameters): Settled => ({ chain, corrections: [], doubt: Option.none() })

/** Two keys say the same: SLOT_DURATION_MS, and SECONDS_PER_SLOT in whole seconds. */
const settleSlotDuration = (
  said: ChainParameters,
  { data: { SECONDS_PER_SLOT: seconds, SLOT_DURATION_MS: ms } }: typeof SpecResponse.Type,
  known: Option.Option<ChainParameters>,
  { currentSlot, now }: Witnesses
): Settled => {
  if (ms === undefined || seconds === undefined || Math.abs(seconds * 1000 - ms) < 1000) return sure(said)
  const what = `SLOT_DURATION_MS ${ms} and SECONDS_PER_SLOT ${seconds}, which contradict each other`
  const values = [ms, seconds * 1000].filter((value) => value > 0)
  const taken = (slotDurationMs: number, because: string): Settled => ({
    chain: { ...said, slotDurationMs },
    corrections: [`it says ${what}; ${slotDurationMs} ms are taken, ${because}; correct its configuration`],
    doubt: Option.none()
  })
  const ofKnown = values.find((value) => Option.exists(known, ({ slotDurationMs }) => slotDurationMs === value))
  if (ofKnown !== undefined) return taken(ofKnown, "as the network of its genesis has it")
  const [fitting, ...others] = values.filter((slotDurationMs) =>
    Option.exists(currentSlot, (slot) => Math.abs(slotAt({ ...said, slotDurationMs }, now) - slot) <= slotTolerance)
  )
  if (fitting !== undefined && others.length === 0) return taken(fitting, "by which its head is of this time")
  return {
    ...sure(said),
    doubt: Option.some(
      `the beacon node says ${what}, and nothing tells which is right: correct its configuration and restart dasmon`
    )
  }
}

/** Slots that a head and a clock may be apart: some missed, some on the way. */
const slotTolerance = 4

/** Which forks and blob steps give the digest that the node itself tells the world. */
const settleDigests = (said: ChainParameters, known: Option.Option<ChainParameters>, witnesses: Witnesses): Settled => {
  const { forkDigest, nextForkDigest, now } = witnesses
  const digests = forkDigestsAround(said, slotAt(said, now))
  if (Option.isNone(forkDigest)) return withKnownPast(said, known, now)
  const candidates = candidatesOf(said, known).filter(({ chain }) =>
    forkDigestsAround(chain, slotAt(chain, now)).includes(forkDigest.value)
  )
  const isNextIn = (chain: ChainParameters) =>
    Option.exists(nextForkDigest, (next) => next === noDigest || digestTable(chain).has(next))
  const best = candidates.find(({ chain }) => isNextIn(chain)) ?? candidates[0]
  if (best === undefined) {
    // A record that is not kept up to date has an older digest of the same schedule.
    if (digestTable(said).has(forkDigest.value)) return sure(said)
    return {
      ...sure(said),
      doubt: Option.some(
        `the fork digest that follows from the beacon node's configuration is ${digests.join(" or ")}, but its own node ` +
          `record has ${forkDigest.value} (${scheduleOf(said)}): update the beacon node or correct its configuration, ` +
          "and restart dasmon"
      )
    }
  }
  if (best.chain === said) return { ...sure(said), corrections: unknownNext(said, nextForkDigest) }
  return {
    chain: best.chain,
    corrections: [
      `it says ${scheduleOf(said)}, from which another fork digest follows (${digests.join(" or ")}) than its own node ` +
        `record has (${forkDigest.value}); ${best.what} is taken (${scheduleOf(best.chain)}), which gives that; ` +
        "update it or correct its configuration"
    ],
    doubt: Option.none()
  }
}

/** `nfd` before anything is scheduled. */
const noDigest = "0x00000000"

const unknownNext = (chain: ChainParameters, next: Option.Option<string>): ReadonlyArray<string> =>
  Option.toArray(
    Option.map(
      Option.filter(next, (digest) => digest !== noDigest && !digestTable(chain).has(digest)),
      (digest) =>
        `its node record announces the next fork digest ${digest}, which does not follow from its configuration ` +
        `(${scheduleOf(chain)}): when that comes, restart dasmon`
    )
  )

/** What the node may mean, the likeliest first. */
const candidatesOf = (said: ChainParameters, known: Option.Option<ChainParameters>) => [
  { chain: said, what: "it" },
  { chain: sinceFulu(said), what: "its schedule without what lies before Fulu" },
  ...Option.toArray(known).flatMap(({ blobSchedule, forks, maxBlobsPerBlockElectra, network }) => [
    { chain: { ...said, blobSchedule }, what: `the schedule of ${network}` },
    { chain: { ...said, blobSchedule, forks, maxBlobsPerBlockElectra }, what: `the configuration of ${network}` }
  ])
]

const sinceFulu = (chain: ChainParameters): ChainParameters => ({
  ...chain,
  blobSchedule: chain.blobSchedule.filter(({ epoch }) => epoch >= forkEpoch(chain, "fulu"))
})

/** Without a record to go by: the steps of a known network that have come are certain. */
const withKnownPast = (said: ChainParameters, known: Option.Option<ChainParameters>, now: number): Settled => {
  const present = epochOf(said, slotAt(said, now))
  const lost = Option.exists(
    Option.filter(known, ({ network }) => network === said.network),
    ({ blobSchedule }) =>
      blobSchedule.some(
        (step) =>
          step.epoch <= present &&
          !said.blobSchedule.some(
            ({ epoch, maxBlobsPerBlock }) => epoch === step.epoch && maxBlobsPerBlock === step.maxBlobsPerBlock
          )
      )
  )
  if (!lost || Option.isNone(known)) return sure(said)
  const { blobSchedule, network } = known.value
  return {
    chain: { ...said, blobSchedule },
    corrections: [
      `it says ${scheduleOf(said)}, which lacks steps of ${network} that have come; the schedule of ${network} is taken ` +
        `(${scheduleOf(known.value)}); update it or correct its configuration`
    ],
    doubt: Option.none()
  }
}

const scheduleOf = ({ blobSchedule }: ChainParameters): string =>
  blobSchedule.length === 0
    ? "an empty BLOB_SCHEDULE"
    : `the BLOB_SCHEDULE ${blobSchedule.map(({ epoch, maxBlobsPerBlock }) => `${maxBlobsPerBlock} from epoch ${epoch}`).join(", ")}`
