import { Effect } from "effect"
import { concatBytes, fromHex } from "../../domain/Bytes.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../domain/network/ForkDigest.ts"
import { maxPayloadSize } from "../../wire/Protocol.ts"
import { encodeVarint } from "../../wire/Varint.ts"
import { hasSidecars } from "../chain/DevBlock.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Dishonest: starts as if a sidecar came, up to the identifier of the snappy frames, and goes on with random bytes. */
export const garbage: Profile = {
  ...honest,
  depart: (_, { random }) =>
    Effect.succeed({
      respond: ({ chunk, items, reply }) => {
        const [first] = items
        const start = first === undefined ? new Uint8Array(0) : chunk(first).subarray(0, plausible)
        return reply.raw(concatBytes([start, random.bytes(2048)]))
      }
    })
}

/** Dishonest: announces a sidecar of one byte more than any message may have. */
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

/** Dishonest: sends every sidecar twice. */
export const duplicate: Profile = {
  ...honest,
  depart: () => Effect.succeed({ select: (items) => items.flatMap((item) => [item, item]) })
}

/** Dishonest: sends its sidecars last one first. */
export const unordered: Profile = {
  ...honest,
  depart: () => Effect.succeed({ select: (items) => [...items].reverse() })
}

/**
 * Dishonest: adds sound sidecars that nobody asked for: a column more of the first block, and the same columns of a later
 * one.
 */
export const unrequested: Profile = {
  ...honest,
  depart: () =>
    Effect.succeed({
      select: (items, { blocks, columns, view }) => {
        const first = items[0]
        if (first === undefined) return items
        const asked = new Set(blocks.map((block) => block.root))
        const extra = Array.from({ length: numberOfColumns }, (_, column) => column).find(
          (column) => !columns.includes(column)
        )
        const later = [...view.canonical.values()]
          .filter((block) => hasSidecars(block) && block.slot > first.block.slot && !asked.has(block.root))
          .sort((a, b) => a.slot - b.slot)[0]
        const ofFirst = items.filter((item) => item.block === first.block)
        return [
          ...ofFirst,
          ...(extra === undefined ? [] : [{ block: first.block, column: extra }]),
          ...items.slice(ofFirst.length),
          ...(later === undefined ? [] : ofFirst.map(({ column }) => ({ block: later, column })))
        ]
      }
    })
}

/** Result code, context bytes, two or three bytes of length, and the stream identifier. */
const plausible = 1 + 4 + 3 + 10
