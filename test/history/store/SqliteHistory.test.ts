import { join } from "node:path"
import { Effect, Layer } from "effect"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { temporaryFolder } from "./Fixture.ts"
import { historyContract } from "./HistoryContract.ts"
import { standingContract } from "./StandingContract.ts"

historyContract(
  "SqliteHistory",
  Layer.unwrapScoped(Effect.map(temporaryFolder, (folder) => layer({ path: join(folder, "history.db") })))
)
standingContract(
  "SqliteHistory",
  Layer.unwrapScoped(Effect.map(temporaryFolder, (folder) => layer({ path: join(folder, "history.db") })))
)
