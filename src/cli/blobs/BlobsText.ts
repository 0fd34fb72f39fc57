import { toHex } from "../../domain/Bytes.ts"
import { columnsToReconstruct } from "../../domain/network/Chain.ts"
import type { AskedPeer, BlobAccount, FetchedBlob, FetchedBlobs } from "../../domain/blobs/FetchedBlobs.ts"

/** What it came to, a line each. */
export const foundLines = ({ account, blobs, isRecovered }: FetchedBlobs): ReadonlyArray<string> => [
  `slot ${account.slot}, block ${account.blockRoot}: ${blobs.length} of its ${account.blobs} blobs, proven against the block's commitments`,
  isRecovered
    ? `recovered from ${account.columns.length} of the 128 columns`
    : "put together from columns 0 to 63; nothing had to be recovered",
  ...accountLines(account)
]

/** Who gave what, and who had claimed it and did not have it. */
export const accountLines = (account: BlobAccount): ReadonlyArray<string> => {
  const held = account.columns.flatMap(({ column, peerId }) => (peerId === null ? [column] : []))
  return [
    ...(held.length === 0 ? [] : [`columns ${ranges(held)} were held already`]),
    ...account.peers.map(peerLine),
    `margin: ${account.columns.length} distinct columns came, ${marginText(account.margin)} the ${columnsToReconstruct} that it takes` +
      (account.notAsked.length === 0 ? "" : `; ${account.notAsked.length} more are claimed, and were not asked for`),
    ...(account.nobodyHad.length === 0 ? [] : [`nobody who was asked had columns ${ranges(account.nobodyHad)}`]),
    ...(account.nobodyClaims.length === 0
      ? []
      : [`nobody who was reached claims columns ${ranges(account.nobodyClaims)}`])
  ]
}

const marginText = (margin: number): string => {
  if (margin === 0) return "exactly"
  return margin > 0 ? `${margin} more than` : `${-margin} fewer than`
}

const peerLine = ({ absent, agent, failure, gave, peerId, wrong }: AskedPeer): string => {
  const parts = [
    ...(gave.length === 0 ? [] : [`gave columns ${ranges(gave)}`]),
    ...(absent.length === 0 ? [] : [`claims columns ${ranges(absent)} and did not have them`]),
    ...wrong.map(({ column, detail }) => `sent a wrong column ${column} (${detail})`),
    ...(failure === null ? [] : [failure])
  ]
  return `${peerId} (${agent ?? "unknown client"}): ${parts.join("; ") || "no answer"}`
}

/** Ascending numbers, such as `0-3 7`. */
const ranges = (numbers: ReadonlyArray<number>): string => {
  const parts: Array<[first: number, last: number]> = []
  for (const number of numbers) {
    const open = parts.at(-1)
    if (open !== undefined && open[1] === number - 1) open[1] = number
    else parts.push([number, number])
  }
  return parts.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(" ")
}

/** A blob as one line of text. */
export const blobText = (
  { blob, commitment, index, versionedHash }: FetchedBlob,
  { blockRoot, slot }: BlobAccount,
  format: "hex" | "json"
): string =>
  format === "hex"
    ? toHex(blob)
    : JSON.stringify({
        slot,
        blockRoot,
        index,
        commitment: toHex(commitment),
        versionedHash: toHex(versionedHash),
        blob: toHex(blob)
      })
