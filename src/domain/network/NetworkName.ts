/** The networks that are known by name. */
export const networkNames = ["mainnet", "sepolia", "hoodi", "gnosis", "chiado"] as const
export type NetworkName = (typeof networkNames)[number]

/** The sets of constants that networks are made of (consensus-specs, `presets/`, and gnosischain/specs). */
export type PresetName = "mainnet" | "gnosis"

/** What a network's blocks and epochs are sized by: on Gnosis an epoch has 16 slots, and a block at most 8 withdrawals. */
export const presetOf: Readonly<Record<NetworkName, PresetName>> = {
  mainnet: "mainnet",
  sepolia: "mainnet",
  hoodi: "mainnet",
  gnosis: "gnosis",
  chiado: "gnosis"
}
