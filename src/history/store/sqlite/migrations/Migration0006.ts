/** How much less a peer is asked since it said that it was too much: its Restraint as JSON; NULL for none. */
export const restraints: ReadonlyArray<string> = ["ALTER TABLE standings ADD COLUMN restraint TEXT"]
