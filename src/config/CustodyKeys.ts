import { Duration } from "effect"
import { ByteLimit, ByteSize } from "./ByteSize.ts"
import { GoDuration } from "./GoDuration.ts"
import { flag, withDefault } from "./Values.ts"

/** The keys of `gossip` about what our node keeps and gives with `mode: participate`. */
export const custodyKeys = {
  /** How long its columns are kept; more than MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS of the network counts as that. */
  custodyRetention: withDefault(GoDuration("1m", "365d"), () => Duration.days(19)),
  /** What they may take on disk; the oldest slots go first, and are not claimed any longer. */
  custodySize: withDefault(ByteSize("16MiB", "100TiB"), () => 64 * 2 ** 30),
  /** Whether peers are asked for columns of the time before the first start, too. */
  custodyBackfill: withDefault(flag, () => false),
  /** Bytes of columns a second that peers are given, over all of them. */
  serveLimit: withDefault(ByteSize("64KiB", "1TiB"), () => 4 * 2 ** 20),
  /** Bytes of columns a day that peers are given, over all of them. */
  serveDailyBytes: withDefault(ByteLimit("1MiB", "1000TiB"), () => 32 * 2 ** 30),
  /** How long after half of a block's columns what is lacking is waited for, and then once more so long at most, at random. */
  reconstructAfter: withDefault(GoDuration("10ms", "1h"), () => Duration.seconds(1))
}
