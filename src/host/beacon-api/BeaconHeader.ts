import { Effect, Schema } from "effect"
import { fromHex, RootFromHex } from "../../domain/Bytes.ts"
import type { Root } from "../../domain/Primitives.ts"
import { headerRoot } from "./BeaconBlock.ts"
import type { BeaconHttp } from "./BeaconHttp.ts"
import { bad } from "./BeaconJson.ts"
import { SafeUint64 } from "./BeaconSpec.ts"

/** A block's header, as every answer with one has it. */
export const HeaderMessage = Schema.Struct({
  slot: SafeUint64,
  proposer_index: SafeUint64,
  parent_root: RootFromHex,
  state_root: RootFromHex,
  body_root: RootFromHex
})

/** The root that follows from a header, whatever the node says that it is. */
export const rootOfMessage = ({
  body_root,
  parent_root,
  proposer_index,
  slot,
  state_root
}: typeof HeaderMessage.Type): Root =>
  headerRoot({
    slot,
    proposerIndex: proposer_index,
    parentRoot: fromHex(parent_root),
    stateRoot: fromHex(state_root),
    bodyRoot: fromHex(body_root)
  })

/** Of an answer that may hang on a head that only the consensus client has checked. */
export const Optimistic = Schema.Struct({ execution_optimistic: Schema.optional(Schema.Boolean) })

/** Refuses one that does. */
export const verified = <A extends typeof Optimistic.Type>(http: BeaconHttp, path: string, response: A) =>
  response.execution_optimistic === true ? bad(http.operation(path), optimisticReason) : Effect.succeed(response)

/** Said of a node whose execution client has not verified its head. */
export const optimisticReason = "it follows the chain optimistically: its execution client has not verified the head"
