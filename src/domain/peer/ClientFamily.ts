/** The clients that are told apart: in labels of metrics, in reports. */
export const clientFamilies = [
  "lighthouse",
  "prysm",
  "teku",
  "nimbus",
  "lodestar",
  "grandine",
  "caplin",
  "other",
  "unknown"
] as const
export type ClientFamily = (typeof clientFamilies)[number]

/** The family of an agent string such as `Lighthouse/v8.0.0-…` or `erigon/caplin/3.3`; `unknown` for a peer that has not said. */
export const clientFamily = (agent: string | null): ClientFamily => {
  if (agent === null || agent === "") return "unknown"
  const name = agent.toLowerCase().replace(/^erigon\/(?=caplin)/, "")
  return clientFamilies.find((family) => name.startsWith(family)) ?? "other"
}
