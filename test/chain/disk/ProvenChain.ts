import { Effect, Layer, Option, PubSub, Ref, Stream } from "effect"
import { toHex } from "../../../src/domain/Bytes.ts"
import type { Block, ChainEvent } from "../../../src/domain/network/Block.ts"
import { provenRoot } from "../../../src/domain/network/BlockProof.ts"
import type { SlotRange } from "../../../src/domain/network/Chain.ts"
import { Externs, ExternsError } from "../../../src/host/Externs.ts"
import { seeded } from "../../../src/devnet/chain/Random.ts"
import { makeSimulatedChain } from "../SimulatedChain.ts"

const zero = `0x${"00".repeat(32)}`

/** Blocks whose roots are what their proofs say, up to `slots`; every ninth slot is empty, and a run that is longer than a tile. */
export const provenBlocks = (seed: number, slots: number, signed = true): ReadonlyArray<Block> => {
  const random = seeded(seed, "proven chain")
  const blocks: Array<Block> = []
  for (let slot = 1; slot <= slots; slot++) {
    if (slot % 9 === 4 || (slot >= 300 && slot < 355)) continue
    const written = {
      slot,
      parentRoot: blocks.at(-1)?.root ?? zero,
      fork: "fulu" as const,
      commitments: Array.from({ length: slot % 4 }, () => random.bytes(48)),
      signature: signed ? Option.some(random.bytes(96)) : Option.none<Uint8Array>(),
      payload: "full" as const,
      proof: {
        proposerIndex: slot * 7,
        stateRoot: random.bytes(32),
        bodyRoot: random.bytes(32),
        branch: slot % 2 === 0 ? Array.from({ length: 4 }, () => random.bytes(32)) : []
      }
    }
    blocks.push({ ...written, root: provenRoot(written) })
  }
  return blocks
}

/** Externs over these blocks that count what they are asked, and can be made to fail. */
export const makeProvenChain = (blocks: ReadonlyArray<Block>, finalizedEpoch: number) =>
  Effect.gen(function* () {
    const simulated = yield* makeSimulatedChain(0)
    const { chain, peerRefresh } = yield* Effect.provide(Externs, simulated.layer)
    const hub = yield* PubSub.unbounded<ChainEvent>()
    const down = yield* Ref.make(false)
    const queries: Array<SlotRange> = []
    const newest = blocks.at(-1)
    const head = { slot: newest?.slot ?? 0, root: newest?.root ?? zero }
    const answering = <A>(operation: string, answer: () => A) =>
      Effect.flatMap(down, (isDown) =>
        isDown ? new ExternsError({ operation, reason: "connection refused" }) : Effect.sync(answer)
      )
    const first: ReadonlyArray<ChainEvent> = [
      { _tag: "Head", head },
      { _tag: "Finalized", epoch: finalizedEpoch, root: toHex(new Uint8Array(32).fill(1)) }
    ]
    const externs = Externs.of({
      chain,
      peerRefresh,
      chainHead: answering("head", () => head),
      chainQuery: (range) =>
        Effect.suspend(() => {
          queries.push(range)
          return answering("blocks", () => blocks.filter(({ slot }) => slot >= range.start && slot <= range.end))
        }),
      chainEvents: Stream.concat(Stream.fromIterable(first), Stream.fromPubSub(hub))
    })
    return { layer: Layer.succeed(Externs, externs), queries, down, head }
  })
