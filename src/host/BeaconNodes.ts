import { Context, Effect } from "effect"
import type { BeaconNodeState } from "../domain/network/BeaconNodeState.ts"

/**
 * The beacon nodes behind `Externs`, in the order of preference, as they are at this moment; none where a host tells of
 * the chain itself.
 */
export class BeaconNodes extends Context.Reference<BeaconNodes>()("dasmon/BeaconNodes", {
  defaultValue: (): Effect.Effect<ReadonlyArray<BeaconNodeState>> => Effect.succeed([])
}) {}
