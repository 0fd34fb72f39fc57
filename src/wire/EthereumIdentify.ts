import { identify, type Identify } from "@libp2p/identify"
import { Predicate } from "effect"

/**
 * libp2p's identify, which says `eth2/1.0.0` for its protocol version as Ethereum's clients do. libp2p has no option for
 * it: the version is a part of the name of the protocol there.
 */
export const ethereumIdentify = (components: Parameters<ReturnType<typeof identify>>[0]): Identify => {
  const service = identify()(components)
  if (saysVersion(service)) service.host.protocolVersion = protocolVersion
  return service
}

const protocolVersion = "eth2/1.0.0"

const saysVersion = (service: unknown): service is { readonly host: { protocolVersion: string } } =>
  Predicate.hasProperty(service, "host") &&
  Predicate.hasProperty(service.host, "protocolVersion") &&
  typeof service.host.protocolVersion === "string"
