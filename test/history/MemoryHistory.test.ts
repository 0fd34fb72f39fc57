import { layer } from "../../src/history/MemoryHistory.ts"
import { historyContract } from "./HistoryContract.ts"

historyContract("MemoryHistory", layer)
