import { Effect, HashMap, Option, Ref, Schema } from "effect"
import { type ChainParameters, epochOf, forkAt, type ForkName } from "../../domain/network/Chain.ts"
import { type DecodedBlock, decodeBlock, hasBlindedForm } from "./BeaconBlock.ts"
import type { BeaconFailure } from "./BeaconFailure.ts"
import { type BeaconAnswer, type BeaconHttp, jsonType, sszType } from "./BeaconHttp.ts"
import { bad, decodeJson, orFail } from "./BeaconJson.ts"

/**
 * Asks for the block of a slot. None is no proof that there is none: a node answers 404, or with the block before, for
 * what it does not have as for what is empty, and some answer 500 (which fails). `again` is the second try, in every form.
 */
export type BlockRequest = (slot: number, again?: boolean) => Effect.Effect<Option.Option<DecodedBlock>, BeaconFailure>

/** With the payload's header in its place, or with all of it. */
type Form = "blinded" | "whole"

/** The smaller form first; which one a node really gives of a fork's blocks is remembered once one came. */
export const makeBlockRequest = (http: BeaconHttp, chain: ChainParameters): Effect.Effect<BlockRequest> =>
  Effect.map(Ref.make(HashMap.empty<ForkName, Form>()), (given): BlockRequest => {
    const ask = Effect.fnUntraced(function* (slot: number, form: Form) {
      const path = form === "blinded" ? `/eth/v1/beacon/blinded_blocks/${slot}` : `/eth/v2/beacon/blocks/${slot}`
      const answer = yield* http.get(path, anyType, mayPass)
      if (Option.isNone(answer)) return Option.none<DecodedBlock>()
      const block = yield* decodeAnswer(http, path, answer.value, chain, form === "blinded")
      if (block.slot > slot) {
        return yield* bad(http.operation(path), `asked for slot ${slot}, got the block of slot ${block.slot}`)
      }
      return block.slot < slot ? Option.none() : Option.some(block)
    })

    return Effect.fnUntraced(function* (slot, again = false) {
      const fork = forkAt(chain, epochOf(chain, slot)).name
      const known = hasBlindedForm(fork) ? HashMap.get(yield* Ref.get(given), fork) : Option.some("whole" as const)
      const askAs = (form: Form) =>
        Effect.tap(ask(slot, form), (block) =>
          Option.isSome(block) ? Ref.update(given, HashMap.set(fork, form)) : Effect.void
        )
      if (Option.isSome(known) && (!again || !hasBlindedForm(fork))) return yield* ask(slot, known.value)
      const blinded = yield* Effect.orElseSucceed(askAs("blinded"), () => Option.none())
      return Option.isSome(blinded) ? blinded : yield* askAs("whole")
    })
  })

/** SSZ where the node can, JSON else. */
const anyType = `${sszType};q=1.0,${jsonType};q=0.9`

/** A 500 is what some nodes answer for an empty slot, so it is not asked again before its neighbours were looked at. */
const mayPass = (error: BeaconFailure): boolean =>
  error.transient && !Option.contains(error.status, internalServerError)

const internalServerError = 500

const BlockResponse = Schema.Struct({ version: Schema.optional(Schema.String), data: Schema.Unknown })

const decodeAnswer = Effect.fnUntraced(function* (
  http: BeaconHttp,
  path: string,
  answer: BeaconAnswer,
  chain: ChainParameters,
  blinded: boolean
) {
  if (answer.contentType === sszType) {
    const block = decodeBlock(chain, { _tag: "Ssz", bytes: answer.body, version: answer.version, blinded })
    return yield* orFail(http.operation(path), block)
  }
  const { data, version } = yield* decodeJson(http, path, answer, BlockResponse)
  const block = decodeBlock(chain, { _tag: "Json", json: data, version: version ?? answer.version, blinded })
  return yield* orFail(http.operation(path), block)
})
