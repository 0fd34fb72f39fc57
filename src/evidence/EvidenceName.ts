import type { Evidence } from "./Evidence.ts"

/**
 * The file name of a piece: when it was judged, so that names sort by time, then slot, column and peer. One peer's
 * verdict on one combination at one moment has one name.
 */
export const nameOf = ({ accusation, block, peer }: Evidence): string => {
  const time = new Date(accusation.judgedAt).toISOString().replaceAll(/[-:]/g, "")
  const safePeer = peer.peerId.replaceAll(/[^A-Za-z0-9]/g, "").slice(0, maxPeerLength)
  return `${time}_slot${block.slot}_column${accusation.column}_${safePeer}.json`
}

/** The peer in a name that `nameOf` gave; `undefined` for any other name. */
export const peerOfName = (name: string): string | undefined => pattern.exec(name)?.[1]

const maxPeerLength = 128
const pattern = /^\d{8}T\d{6}\.\d{3}Z_slot\d+_column\d+_([A-Za-z0-9]*)\.json$/
