import { Effect, Layer, Option, PubSub, Ref, Stream } from "effect"
import type { Block, ChainEvent } from "../../src/domain/network/Block.ts"
import type { ChainParameters, SlotRange } from "../../src/domain/network/Chain.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"

const parameters: ChainParameters = {
  network: "simulated",
  genesisTime: 0,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 1000,
  slotsPerEpoch: 32,
  forks: [
    { name: "electra", version: Uint8Array.of(5, 0, 0, 0), epoch: 0 },
    { name: "fulu", version: Uint8Array.of(6, 0, 0, 0), epoch: 1 }
  ],
  blobSchedule: [],
  maxBlobsPerBlockElectra: 9,
  retentionEpochs: 4096
}

/** Blobs by slot; `null` is a slot without a block. */
export type Growth = ReadonlyArray<number | null>

const zero = `0x${"00".repeat(32)}`

/**
 * A chain that tests grow and reorganise as they like, and the externs over it. A question takes `delay` milliseconds to
 * be looked up, and the answer as long to arrive.
 */
export const makeSimulatedChain = Effect.fnUntraced(function* (delay: number) {
  let blocks = new Map<number, Block>()
  let head = 0
  let serial = 0
  /** The canonical blocks after each change, oldest first. */
  const versions: Array<ReadonlyMap<number, Block>> = []
  const queries: Array<SlotRange> = []
  const down = yield* Ref.make(false)
  const hub = yield* PubSub.unbounded<ChainEvent>()

  const append = (growth: Growth): void => {
    for (const blobs of growth) {
      head++
      if (blobs === null) continue
      const parent = [...blocks.keys()].reduce((last, slot) => (slot < head && slot > last ? slot : last), -1)
      blocks.set(head, {
        slot: head,
        root: `0x${(++serial).toString(16).padStart(64, "0")}`,
        parentRoot: blocks.get(parent)?.root ?? zero,
        fork: head >= 32 ? "fulu" : "electra",
        commitments: Array.from({ length: blobs }, () => new Uint8Array(48).fill(serial)),
        signature: Option.none(),
        payload: "full"
      })
    }
    // The head is a block: empty slots at the end are nothing yet.
    while (head > 0 && !blocks.has(head)) head--
    versions.push(new Map(blocks))
  }
  const headRoot = (): string => blocks.get(head)?.root ?? zero
  const tellHead = Effect.suspend(() =>
    PubSub.publish(hub, { _tag: "Head" as const, head: { slot: head, root: headRoot() } })
  )
  append([0])

  const externs = Externs.of({
    chain: parameters,
    peerRefresh: () => Effect.dieMessage("not simulated"),
    chainHead: failingWhile(down, "head", () => ({ slot: head, root: headRoot() })),
    chainQuery: (range) =>
      Effect.suspend(() => {
        queries.push(range)
        return failingWhile(down, `blocks ${range.start}..${range.end}`, () =>
          [...blocks.values()].filter(({ slot }) => slot >= range.start && slot <= range.end)
        )
      }).pipe(
        Effect.delay(delay),
        // What was looked up is on its way for a while, and the chain may change in that time.
        Effect.tap(() => Effect.sleep(delay))
      ),
    chainEvents: Stream.unwrapScoped(
      Effect.map(Stream.fromPubSub(hub, { scoped: true }), (events) =>
        Stream.concat(
          Stream.suspend(() => Stream.make({ _tag: "Head" as const, head: { slot: head, root: headRoot() } })),
          events
        )
      )
    )
  })

  return {
    layer: Layer.succeed(Externs, externs),
    down,
    queries,
    versions,
    head: () => head,
    block: (slot: number) => blocks.get(slot),
    /** Appends slots and tells of the new head. */
    grow: (growth: Growth) =>
      Effect.zipRight(
        Effect.sync(() => append(growth)),
        tellHead
      ),
    /** Replaces the last `depth` slots; `told` says whether a reorg event is given. */
    reorg: (depth: number, growth: Growth, told: boolean) =>
      Effect.suspend(() => {
        const before = head
        const first = Math.max(2, head - depth + 1)
        blocks = new Map([...blocks].filter(([slot]) => slot < first))
        head = first - 1
        append(growth.length === 0 ? [1] : growth)
        const last = Math.max(before, head)
        const event = { _tag: "Reorg" as const, slot: last, depth: last - first + 1 }
        return Effect.zipRight(told ? PubSub.publish(hub, event) : Effect.void, tellHead)
      }),
    /** Goes back to the blocks of an earlier version, and tells of it. */
    reinstate: (version: number) =>
      Effect.suspend(() => {
        const before = head
        blocks = new Map(versions.at(version))
        head = Math.max(...blocks.keys())
        versions.push(new Map(blocks))
        const slot = Math.max(before, head)
        return Effect.zipRight(PubSub.publish(hub, { _tag: "Reorg" as const, slot, depth: slot }), tellHead)
      }),
    tell: (event: ChainEvent) => PubSub.publish(hub, event)
  }
})
export type SimulatedChain = Effect.Effect.Success<ReturnType<typeof makeSimulatedChain>>

const failingWhile = <A>(down: Ref.Ref<boolean>, operation: string, answer: () => A): Effect.Effect<A, ExternsError> =>
  Effect.flatMap(down, (isDown) =>
    isDown ? new ExternsError({ operation, reason: "connection refused" }) : Effect.sync(answer)
  )
