import { Effect, Option, Schema } from "effect"
import { fromHex, hexOf, RootFromHex } from "../../domain/Bytes.ts"
import { type ChainParameters, epochStart } from "../../domain/network/Chain.ts"
import type { Epoch, Root } from "../../domain/Primitives.ts"
import type { ImportedBlock, Proposers } from "../GossipTruth.ts"
import type { BeaconFailure } from "./BeaconFailure.ts"
import { HeaderMessage, Optimistic, rootOfMessage, verified } from "./BeaconHeader.ts"
import type { BeaconHttp } from "./BeaconHttp.ts"
import { SafeUint64 } from "./BeaconSpec.ts"
import { bad, maybeJson } from "./BeaconJson.ts"

/** `GET /eth/v1/beacon/headers/{root}`; none for a block that the node does not have, or whose payload it has not verified. */
export const importedBlock = Effect.fnUntraced(function* (http: BeaconHttp, root: Root) {
  const path = `/eth/v1/beacon/headers/${root}`
  const answer = yield* maybeJson(http, path, HeaderAnswer)
  if (Option.isNone(answer)) return Option.none<ImportedBlock>()
  const { data } = yield* verified(http, path, answer.value)
  const { message } = data.header
  const { parent_root, slot } = message
  // The genesis block was never proposed, and some nodes give its state's header.
  if (slot > 0 && rootOfMessage(message) !== root)
    return yield* bad(http.operation(path), "the header is not of that root")
  return Option.some<ImportedBlock>({ slot, root, parentRoot: parent_root, isCanonical: data.canonical })
})

/**
 * `GET /eth/v2/validator/duties/proposer/{epoch}`, or v1 of a node that has no v2; they differ in when the duties are said
 * to have been decided, and v1 says it an epoch too late for the forks that have columns, which errs on the safe side.
 */
export const proposersOf = (
  http: BeaconHttp,
  chain: ChainParameters,
  epoch: Epoch
): Effect.Effect<Proposers, BeaconFailure> =>
  dutiesOf(http, chain, epoch, "v2").pipe(
    Effect.catchIf(isUnknownPath, () => Effect.succeed(Option.none<Proposers>())),
    Effect.flatMap(
      Option.match({
        onSome: (proposers) => Effect.succeed(Option.some(proposers)),
        onNone: () => dutiesOf(http, chain, epoch, "v1")
      })
    ),
    Effect.flatMap(
      Option.match({ onSome: Effect.succeed, onNone: () => bad(http.operation(dutiesPath("v1", epoch)), "HTTP 404") })
    )
  )

const dutiesOf = Effect.fnUntraced(function* (
  http: BeaconHttp,
  chain: ChainParameters,
  epoch: Epoch,
  version: "v1" | "v2"
) {
  const path = dutiesPath(version, epoch)
  const answer = yield* maybeJson(http, path, DutiesAnswer)
  if (Option.isNone(answer)) return Option.none<Proposers>()
  const { data, dependent_root } = yield* verified(http, path, answer.value)
  const start = epochStart(chain, epoch)
  const foreign = data.find(({ slot }) => slot < start || slot >= start + chain.slotsPerEpoch)
  if (foreign !== undefined) return yield* bad(http.operation(path), `slot ${foreign.slot} is not of epoch ${epoch}`)
  return Option.some<Proposers>({
    epoch,
    dependentRoot: dependent_root,
    decidedAt: Math.max(0, epochStart(chain, version === "v1" ? epoch : epoch - 1) - 1),
    bySlot: new Map(
      data.map(({ pubkey, slot, validator_index }) => [slot, { index: validator_index, publicKey: fromHex(pubkey) }])
    )
  })
})

const dutiesPath = (version: "v1" | "v2", epoch: Epoch): string => `/eth/${version}/validator/duties/proposer/${epoch}`

/** `GET /eth/v1/beacon/states/head/validators/{index}`. */
export const keyOfValidator = (http: BeaconHttp, index: number) =>
  Effect.map(
    maybeJson(http, `/eth/v1/beacon/states/head/validators/${index}`, ValidatorAnswer),
    Option.map(({ data }) => fromHex(data.validator.pubkey))
  )

/** What nodes answer to a path that they do not have, beside 404. */
const isUnknownPath = ({ status }: BeaconFailure): boolean =>
  Option.exists(status, (status) => [400, 405, 501].includes(status))

const PublicKey = hexOf(48)

const HeaderAnswer = Schema.Struct({
  ...Optimistic.fields,
  data: Schema.Struct({ canonical: Schema.Boolean, header: Schema.Struct({ message: HeaderMessage }) })
})

const DutiesAnswer = Schema.Struct({
  ...Optimistic.fields,
  dependent_root: RootFromHex,
  data: Schema.Array(Schema.Struct({ pubkey: PublicKey, validator_index: SafeUint64, slot: SafeUint64 }))
})

const ValidatorAnswer = Schema.Struct({
  data: Schema.Struct({ validator: Schema.Struct({ pubkey: PublicKey }) })
})
