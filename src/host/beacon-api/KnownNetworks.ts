import { genesisData, networksChainConfig } from "@lodestar/config/networks"
import { Either, Option, Record } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { type NetworkName, networkNames } from "../../domain/network/NetworkName.ts"
import { chainParameters, type GenesisResponse } from "./BeaconSpec.ts"

/** Every network that the library knows: those that can be named, and some more. */
type KnownNetwork = keyof typeof networksChainConfig

/** Forks, times and limits of a network as its community has published them (and as of the library's release). */
export const knownParameters = (network: KnownNetwork): ChainParameters => {
  const { CONFIG_NAME, GENESIS_FORK_VERSION, PRESET_BASE } = networksChainConfig[network]
  const { genesisTime, genesisValidatorsRoot } = genesisData[network]
  const genesis = {
    genesis_time: genesisTime,
    genesis_validators_root: genesisValidatorsRoot,
    genesis_fork_version: toHex(GENESIS_FORK_VERSION)
  }
  return Either.getOrThrow(chainParameters({ data: genesis }, { data: { CONFIG_NAME } }, PRESET_BASE))
}

/** The network that everybody knows by this genesis. */
export const networkOfGenesis = ({ data }: typeof GenesisResponse.Type): Option.Option<KnownNetwork> =>
  Option.fromNullable(
    Record.keys(genesisData).find((name) => genesisData[name].genesisValidatorsRoot === data.genesis_validators_root)
  )

/** Why a node with this genesis is of no use where the named network is wanted. */
export const otherNetwork = (genesis: typeof GenesisResponse.Type, wanted: NetworkName): Option.Option<string> => {
  const found = networkOfGenesis(genesis)
  if (Option.contains(found, wanted)) return Option.none()
  const root = `genesis_validators_root ${genesis.data.genesis_validators_root.slice(0, 14)}…`
  const name = Option.filter(found, (name): name is NetworkName => networkNames.some((known) => known === name))
  const instead = Option.match(name, { onNone: () => "leave out network", onSome: (name) => `set network to ${name}` })
  return Option.some(
    `it is not of the network ${wanted}, but of ${Option.getOrElse(found, () => "one that is not known by name")} ` +
      `(${root}): name a beacon node of ${wanted}, or ${instead}`
  )
}
