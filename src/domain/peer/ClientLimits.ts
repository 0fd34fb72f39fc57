import { type Rate, unlimited } from "../Bucket.ts"
import type { ClientFamily } from "./ClientFamily.ts"

/** What a client lets one peer ask for, as buckets that stay under its limits. */
export interface ClientLimits {
  /** Of a request for columns: `unitsByRange` and `unitsByRoot`, from one bucket. */
  readonly columns: Rate
  /** Of those by root besides. */
  readonly byRoot: Rate
  /** Requests of any kind. */
  readonly requests: Rate
  readonly status: Rate
  readonly metadata: Rate
}

/** What a request by range costs at the strictest: Prysm counts slots and sidecars, Lodestar and Erigon what is asked for. */
export const unitsByRange = (slots: number, columns: number): number => slots + slots * columns

/** What a request by root costs: what is asked for, delivered or not. */
export const unitsByRoot = (blocks: number, columns: number): number => blocks * columns

/** What peers of this family take. Of a family that is not known, and of one without a limit of its own, the smallest. */
export const clientLimits = (family: ClientFamily): ClientLimits => {
  switch (family) {
    case "prysm":
    case "lighthouse":
    case "grandine":
    case "lodestar":
    case "teku":
    case "nimbus":
    case "caplin":
      return limits[family]
    case "other":
    case "unknown":
      return smallest
  }
}

/** So much of a pace is used: their clock is not ours, and what we ask beside probes (Goodbye, Ping) counts too. */
const share = 0.8

/** A bucket of theirs that leaks, or gives tokens back. */
const bucket = (burst: number, perSecond: number): Rate => ({ burst, perSecond: share * perSecond })

/** At most so many in any such time: what is there at once and what comes back meanwhile, together. */
const inAny = (most: number, seconds: number): Rate => ({
  burst: (share * most) / 4,
  perSecond: (share * most * 3) / 4 / seconds
})

/**
 * The limits of Lighthouse, `lighthouse_network/src/rpc/config.rs`, token buckets a peer: DataColumnSidecarsByRange 5,120
 * and ByRoot 512 sidecars in 10 s in the versions of 2024 and 2025 (16,384 in 10 s for each since), Status 5 in 15 s,
 * MetaData 2 in 5 s.
 */
const lighthouse: ClientLimits = {
  columns: bucket(5120, 512),
  byRoot: bucket(512, 51.2),
  requests: unlimited,
  status: bucket(5, 5 / 15),
  metadata: bucket(2, 2 / 5)
}

const limits = {
  lighthouse,
  /** Built on Lighthouse's network code, of which it tells no other limits. */
  grandine: lighthouse,
  /**
   * `beacon-chain/sync/rate_limiter.go`: one bucket a peer for columns by range (slots and sidecars) and by root
   * (sidecars asked for), of 16,384, which leaks 4,096 in 30 s; Status and MetaData 5, and one a second; any request 20,
   * and ten a second.
   */
  prysm: {
    columns: bucket(16_384, 4096 / 30),
    byRoot: unlimited,
    requests: bucket(20, 10),
    status: bucket(5, 1),
    metadata: bucket(5, 1)
  },
  /**
   * `packages/beacon-node/src/network/reqresp/rateLimit.ts`: MAX_REQUEST_DATA_COLUMN_SIDECARS in 10 s, slots times columns
   * as they are asked for (lodestar#8436); Status 5 in 15 s, MetaData 2 in 5 s.
   */
  lodestar: {
    columns: bucket(16_384, 1638.4),
    byRoot: unlimited,
    requests: unlimited,
    status: bucket(5, 5 / 15),
    metadata: bucket(2, 2 / 5)
  },
  /**
   * `P2PConfig`: 100 requests of any kind in a minute, beyond which it disconnects without a word; sidecars in a minute,
   * of which its number for columns is not known: that for blobs is 2,000.
   */
  teku: {
    columns: inAny(2000, 60),
    byRoot: unlimited,
    requests: inAny(100, 60),
    status: unlimited,
    metadata: unlimited
  },
  /** Nimbus lets a peer wait, by a quota over all its peers: 500 sidecars in 10 s were never slow anywhere. */
  nimbus: {
    columns: bucket(500, 50),
    byRoot: unlimited,
    requests: unlimited,
    status: unlimited,
    metadata: unlimited
  },
  /**
   * `cl/sentinel/handlers/rate_limiter.go`, the smallest of all: buckets a peer and protocol, of 128 for columns (what is
   * asked for, slots times columns), which get back 12.8 a second; Status 5, and one in three seconds, MetaData 2, and one in
   * five. Whoever asks for more gets a bare code 1 for 30 s.
   */
  caplin: {
    columns: bucket(128, 12.8),
    byRoot: bucket(128, 12.8),
    requests: unlimited,
    status: bucket(5, 0.33),
    metadata: bucket(2, 0.2)
  }
} satisfies Record<Exclude<ClientFamily, "other" | "unknown">, ClientLimits>

const least = (pick: (limits: ClientLimits) => Rate): Rate => {
  const rates = Object.values(limits).map(pick)
  return {
    burst: Math.min(...rates.map(({ burst }) => burst)),
    perSecond: Math.min(...rates.map(({ perSecond }) => perSecond))
  }
}

const smallest: ClientLimits = {
  columns: least(({ columns }) => columns),
  byRoot: least(({ byRoot }) => byRoot),
  requests: least(({ requests }) => requests),
  status: least(({ status }) => status),
  metadata: least(({ metadata }) => metadata)
}
