import { layer } from "../../../src/history/store/MemoryHistory.ts"
import { historyContract } from "./HistoryContract.ts"
import { standingContract } from "./StandingContract.ts"

historyContract("MemoryHistory", layer)
standingContract("MemoryHistory", layer)
