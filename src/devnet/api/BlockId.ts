import { Either } from "effect"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { type ChainState, finalizedBlock } from "../chain/ChainState.ts"
import type { DevBlock } from "../chain/DevBlock.ts"
import { type EndpointError, badRequest, notFound } from "./Endpoint.ts"

/** The block that `head`, `genesis`, `finalized`, a slot or a root names: 400 for anything else, 404 where there is none. */
export const findBlock = (
  parameters: ChainParameters,
  state: ChainState,
  id: string
): Either.Either<DevBlock, EndpointError> => {
  switch (id) {
    case "head":
      return Either.right(state.head)
    case "genesis":
      return Either.right(state.genesis)
    case "finalized":
      return Either.right(finalizedBlock(parameters, state))
  }
  const block = /^0x[0-9a-fA-F]{64}$/.test(id)
    ? Either.right(state.byRoot.get(id.toLowerCase()))
    : Either.map(parseSlot(id), (slot) => state.canonical.get(slot))
  return Either.flatMap(block, (found) =>
    found === undefined ? Either.left(notFound(`there is no block ${id}`)) : Either.right(found)
  )
}

/** A slot in decimal digits, below 2^64. */
export const parseSlot = (text: string): Either.Either<number, EndpointError> =>
  /^[0-9]{1,20}$/.test(text)
    ? Either.right(Number(text))
    : Either.left(badRequest(`${JSON.stringify(text)} is neither head, genesis, finalized, a slot nor a root`))
