import { SignableENR } from "@chainsafe/enr"
import { sha256 } from "@noble/hashes/sha2.js"
import { Clock, Effect, Ref, Stream } from "effect"
import { bigEndian } from "../../src/domain/Bytes.ts"
import { type ChainParameters, epochOf, slotAt } from "../../src/domain/network/Chain.ts"
import { enrForkIdAt } from "../../src/domain/network/EnrForkId.ts"
import { type Discv5Node, type Discv5Options, makeDiscv5 } from "../../src/discovery/discv5/Discv5Node.ts"
import type { NodeFound } from "../../src/discovery/Discovery.ts"
import { ipBytes } from "../../src/wire/discv5/UdpEndpoint.ts"
import { makeChain } from "../domain/network/Chains.ts"

/** A network in Fulu whose clock is the real one: slots of 12 seconds, the last step of the blob limit long past. */
export const network = (parts: Partial<ChainParameters> = {}): Effect.Effect<ChainParameters> =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    makeChain({ genesisTime: Math.floor(now / 1000) - 100 * 32 * 12, ...parts })
  )

/** The private key that a name stands for. */
export const keyOf = (name: string): Uint8Array => sha256(new TextEncoder().encode(`discovery test ${name}`))

/** A node on 127.0.0.1 that walks all the time. */
export const discv5At = (name: string, options: Partial<Discv5Options> & Pick<Discv5Options, "chain">) =>
  makeDiscv5({
    privateKey: keyOf(name),
    custodyGroupCount: 4,
    listen: [{ host: "127.0.0.1", port: 0 }],
    listening: ["/ip4/127.0.0.1/tcp/4321"],
    bootEnrs: [],
    walkInterval: "100 millis",
    ...options
  })

export const enrOf = (node: Discv5Node) =>
  Effect.map(
    Effect.flatMap(node.record.current, (state) => state),
    ({ enr }) => enr
  )

/** Everything that is found from now on. */
export const collected = <R>(found: Stream.Stream<NodeFound, never, R>) =>
  Effect.gen(function* () {
    const all = yield* Ref.make<ReadonlyArray<NodeFound>>([])
    yield* Effect.forkScoped(Stream.runForEach(found, (node) => Ref.update(all, (before) => [...before, node])))
    return Ref.get(all)
  })

/** The ENR of a beacon node, signed by the key of that name; `entries` beside what is usual. */
export const signedEnr = (
  name: string,
  chain: ChainParameters,
  now: number,
  { entries = {}, seq = 1n }: { readonly entries?: Record<string, Uint8Array>; readonly seq?: bigint } = {}
): string => {
  const enr = SignableENR.createV4(keyOf(name), {
    ...enrForkIdAt(chain, epochOf(chain, slotAt(chain, now))),
    ip: ipBytes("127.0.0.1"),
    tcp: bigEndian(9000),
    ...entries
  })
  enr.seq = seq
  return enr.encodeTxt()
}
