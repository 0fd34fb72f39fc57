import type { SignableENR } from "@chainsafe/enr"
import { bigEndian, fromHex } from "../../domain/Bytes.ts"
import type { ChainParameters } from "../../domain/network/Chain.ts"
import { enrForkIdAt } from "../../domain/network/EnrForkId.ts"
import { digestEpochs } from "../../domain/network/ForkDigest.ts"
import type { ListeningPorts } from "../../domain/peer/ListeningPorts.ts"
import { makeEnr } from "../../wire/discv5/ChangeableEnr.ts"
import { ipBytes } from "../../wire/discv5/UdpEndpoint.ts"

/** What a node says of itself in its ENR. */
export interface EnrParts {
  /** On 127.0.0.1, `udp` that of discv5; none for a node that does not listen. */
  readonly ports: Pick<ListeningPorts, "quic" | "tcp"> & { readonly udp?: number }
  /** The epoch that the clock shows. */
  readonly epoch: number
  /** `0x` and 8 digits; that of the epoch if left out. */
  readonly forkDigest?: string
  readonly custodyGroupCount: number
}

/** The entries of the ENR (fulu/p2p-interface.md, "ENR structure"). */
export const enrEntries = (
  chain: ChainParameters,
  { custodyGroupCount, epoch, forkDigest, ports }: EnrParts
): ReadonlyMap<string, Uint8Array> => {
  const { quic, tcp, udp } = ports
  const open = Object.entries({ quic, tcp, udp }).flatMap(([key, port]): ReadonlyArray<[string, Uint8Array]> =>
    port === undefined ? [] : [[key, bigEndian(port)]]
  )
  return new Map([
    ...Object.entries({
      ...enrForkIdAt(chain, epoch, forkDigest === undefined ? undefined : fromHex(forkDigest)),
      attnets: new Uint8Array(8),
      syncnets: new Uint8Array(1),
      cgc: bigEndian(custodyGroupCount)
    }),
    ...(open.length === 0 ? [] : [["ip", ipBytes("127.0.0.1")] as const]),
    ...open
  ])
}

/** The ENR, signed with the key (32 bytes, secp256k1). Whoever has seen so many forks and steps has changed it as often. */
export const devEnr = (chain: ChainParameters, privateKey: Uint8Array, parts: EnrParts): SignableENR => {
  const steps = digestEpochs(chain).filter((epoch) => epoch <= parts.epoch)
  return makeEnr(privateKey, enrEntries(chain, parts), BigInt(1 + steps.length))
}
