/** The package `dasmon/devnet`: a network of honest and dishonest peers on this machine, for the tests of a host. */
import "../wire/Polyfill.ts"

export { type ApiHabit, apiHabits } from "../devnet/api/ApiHabit.ts"
export { blobsOf } from "../devnet/chain/BlobPool.ts"
export type { DevBlock } from "../devnet/chain/DevBlock.ts"
export type { DevChain } from "../devnet/chain/DevChain.ts"
export { type Devnet, type DevnetOptions, makeDevnet } from "../devnet/Devnet.ts"
export { DevnetError } from "../devnet/DevnetError.ts"
export type { DevPeer } from "../devnet/peer/DevPeer.ts"
export type { PeersSpec } from "../devnet/PeersSpec.ts"
export { isHonest, type ProfileName, profileNames } from "../devnet/profiles/Profiles.ts"
