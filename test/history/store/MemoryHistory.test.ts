import { layer } from "../../../src/history/store/MemoryHistory.ts"
import { historyContract } from "./HistoryContract.ts"

historyContract("MemoryHistory", layer)
