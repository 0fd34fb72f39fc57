import type { ChainParameters } from "../../../src/domain/network/Chain.ts"

/** A network that has been on Fulu for long, with the steps of its blob schedule behind it. */
export const wireChain: ChainParameters = {
  network: "bench",
  genesisTime: 0,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  forks: [
    { name: "electra", version: Uint8Array.of(5, 0, 0, 1), epoch: 0 },
    { name: "fulu", version: Uint8Array.of(6, 0, 0, 1), epoch: 1 }
  ],
  blobSchedule: [
    { epoch: 2, maxBlobsPerBlock: 15 },
    { epoch: 3, maxBlobsPerBlock: 21 }
  ],
  maxBlobsPerBlockElectra: 9,
  retentionEpochs: 4096
}
