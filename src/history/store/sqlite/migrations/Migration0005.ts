/**
 * What strangers can make grow is bounded: changes of a claim are counted, and of very many on one day few are kept (as
 * in KeepClaims: 8, 15, and the lowest between them); peers of whom nothing was ever tested are found at once.
 */
export const bounds: ReadonlyArray<string> = [
  /** Changes of its claim, ever. */
  "ALTER TABLE peers ADD COLUMN claim_changes INTEGER NOT NULL DEFAULT 0",
  "UPDATE peers SET claim_changes = (SELECT count(*) FROM claims WHERE claims.peer = peers.id)",
  `DELETE FROM claims WHERE id IN (
    WITH placed AS (
      SELECT id, peer, custody_group_count, floor(observed_at / 86400000) AS day,
        row_number() OVER (PARTITION BY peer, floor(observed_at / 86400000) ORDER BY id) AS first,
        row_number() OVER (PARTITION BY peer, floor(observed_at / 86400000) ORDER BY id DESC) AS newest
      FROM claims
    ),
    between_them AS (
      SELECT id, row_number() OVER (PARTITION BY peer, day ORDER BY custody_group_count, id DESC) AS lowest
      FROM placed WHERE first > 8 AND newest > 15
    )
    SELECT id FROM between_them WHERE lowest > 1
  )`,
  "CREATE INDEX peers_untested ON peers (recorded_at) WHERE probes = 0"
]
