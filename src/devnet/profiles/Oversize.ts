import { Effect } from "effect"
import { concatBytes, fromHex } from "../../domain/Bytes.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import { maxPayloadSize } from "../../wire/Protocol.ts"
import { encodeVarint } from "../../wire/Varint.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Announces a sidecar of one byte more than any message may have. */
export const oversize: Profile = {
  ...honest,
  depart: (_, { chain, random }) =>
    Effect.succeed({
      respond: ({ items, reply }) =>
        Effect.flatMap(chain.state, ({ slot }) =>
          reply.raw(
            concatBytes([
              Uint8Array.of(0),
              fromHex(forkDigestOfSlot(chain.parameters, items[0]?.block.slot ?? slot)),
              encodeVarint(maxPayloadSize + 1),
              random.bytes(1024)
            ])
          )
        )
    })
}
