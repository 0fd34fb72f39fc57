/** How far a peer can be relied on (`domain/peer/Score`), beside the rest of its standing. */
export const scores: ReadonlyArray<string> = ["ALTER TABLE standings ADD COLUMN score TEXT"]
