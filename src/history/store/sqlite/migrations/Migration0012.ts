/** How far a node can be relied on, as JSON (`Score`); NULL for neutral. */
export const nodeScores: ReadonlyArray<string> = ["ALTER TABLE nodes ADD COLUMN score TEXT"]
