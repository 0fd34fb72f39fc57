import { Context, Effect, Layer } from "effect"
import type { ApiHabit } from "../../../src/devnet/api/ApiHabit.ts"
import { serveBeaconApi } from "../../../src/devnet/api/BeaconApi.ts"
import type { ChainState } from "../../../src/devnet/chain/ChainState.ts"
import { type DevChain, makeDevChain } from "../../../src/devnet/chain/DevChain.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import { fakePool } from "../../devnet/FakePool.ts"

/** A devnet chain of `epochs` epochs on the real clock, and its Beacon API; the next slot is far away if left out. */
export const devnet = (options: {
  readonly epochs: number
  readonly seed?: number
  readonly slotMs?: number
  readonly api?: ApiHabit
}) =>
  Effect.gen(function* () {
    const slotMs = options.slotMs ?? 3_600_000
    const genesisTime = Math.floor((Date.now() - slotMs * 32 * options.epochs - slotMs / 2) / 1000)
    const chain = yield* makeDevChain({
      parameters: devnetParameters(options.seed ?? 3, slotMs, genesisTime),
      pool: fakePool,
      seed: options.seed ?? 3
    })
    return { chain, url: yield* serveAgain(chain, options.api), state: yield* chain.state }
  })

/** One more node of a chain, with a habit of its own. */
export const serveAgain = (chain: DevChain, api?: ApiHabit) =>
  serveBeaconApi(
    chain,
    {
      version: "devnet/1",
      identity: { peerId: "16Uiu2node", enr: "enr:-node" },
      peers: Effect.succeed([]),
      accounts: Effect.succeed([])
    },
    0,
    api
  )

/** A chain that the tests of a file share; they do not change it. */
export class SharedChain extends Context.Tag("test/SharedChain")<
  SharedChain,
  { readonly chain: DevChain; readonly url: string; readonly state: ChainState }
>() {
  static readonly layer = Layer.scoped(this, Effect.orDie(devnet({ epochs: 4 })))
}
