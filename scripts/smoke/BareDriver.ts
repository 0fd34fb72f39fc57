import Sqlite from "better-sqlite3"
import { collectAll } from "./Collect.ts"

// What the monitor must not do: statements that nobody holds any more, of databases open and closed.
for (let round = 0; round < 20; round++) {
  const database = new Sqlite(":memory:")
  for (let n = 0; n < 20; n++) database.prepare(`SELECT ${n}`).all()
  if (round % 2 === 0) database.close()
  await collectAll()
}
