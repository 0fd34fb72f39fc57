import { Effect, Either } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { epochOf, epochStart } from "../../domain/network/Chain.ts"
import { blockAtOrBefore, type ChainState } from "../chain/ChainState.ts"
import type { DevChain } from "../chain/DevChain.ts"
import { proposerOf, validatorCount, validatorKey } from "../chain/Validators.ts"
import { type ApiRequest, badRequest, data, type EndpointError, get, notFound } from "./Endpoint.ts"
import { parseSlot } from "./BlockId.ts"

/** Who proposes, and the keys of validators. */
export const dutyRoutes = (chain: DevChain) => {
  const { parameters, seed } = chain
  const keys = new Map<number, string>()
  const keyOf = (index: number): string => {
    const key = keys.get(index) ?? toHex(validatorKey(seed, index))
    keys.set(index, key)
    return key
  }

  const duties = (request: ApiRequest, decidedBy: (epoch: number) => number) =>
    Effect.gen(function* () {
      const epoch = yield* parseSlot(request.path("epoch"))
      const state = yield* chain.state
      const current = epochOf(parameters, yield* chain.currentSlot)
      if (epoch > current + 1) return yield* badRequest(`epoch ${epoch} is more than one ahead of ${current}`)
      const start = epochStart(parameters, epoch)
      const dependent: ChainState["head"] = blockAtOrBefore(state, Math.max(0, decidedBy(epoch)))
      return data(
        Array.from({ length: parameters.slotsPerEpoch }, (_, place) => {
          const index = proposerOf(seed, start + place)
          return { pubkey: keyOf(index), validator_index: String(index), slot: String(start + place) }
        }),
        { dependent_root: dependent.root, execution_optimistic: false }
      )
    })

  return [
    get("/eth/v1/validator/duties/proposer/:epoch", (request) =>
      duties(request, (epoch) => epochStart(parameters, epoch) - 1)
    ),
    get("/eth/v2/validator/duties/proposer/:epoch", (request) =>
      duties(request, (epoch) => epochStart(parameters, epoch - 1) - 1)
    ),
    get("/eth/v1/beacon/states/head/validators/:id", (request) =>
      Effect.map(validatorIndex(request.path("id")), (index) =>
        data(
          {
            index: String(index),
            balance: "32000000000",
            status: "active_ongoing",
            validator: { pubkey: keyOf(index), effective_balance: "32000000000", slashed: false }
          },
          { execution_optimistic: false, finalized: false }
        )
      )
    )
  ]
}

const validatorIndex = (id: string): Either.Either<number, EndpointError> =>
  Either.filterOrLeft(
    parseSlot(id),
    (index) => index < validatorCount,
    () => notFound(`there is no validator ${id}`)
  )
