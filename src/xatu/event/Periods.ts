import { type ChainParameters, epochOf, epochStart, slotStart } from "../../domain/network/Chain.ts"

/** A slot and its epoch, and when they start: Unix milliseconds. */
export const periodsOf = (chain: ChainParameters, slot: number) => {
  const epoch = epochOf(chain, slot)
  return {
    slot: { number: slot, start_date_time: slotStart(chain, slot) },
    epoch: { number: epoch, start_date_time: slotStart(chain, epochStart(chain, epoch)) }
  }
}
