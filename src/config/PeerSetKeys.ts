import { whole, withDefault } from "./Values.ts"

/** The keys that are about which peers we are connected to; they stand beside all others. */
export const peerSetKeys = {
  /** Peers that are to be connected at once, of those that discovery finds and those that come; all of `peers` are besides. */
  targetPeers: withDefault(whole(1, 1500), () => 100),
  /** Connected peers that are to hold each column. */
  peersPerColumn: withDefault(whole(0, 64), () => 3)
}
