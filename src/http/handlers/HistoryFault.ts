import { HistoryBusy, HistoryTooSlow, HistoryUnavailable } from "../api/ApiErrors.ts"

/** Why a question to the history was not answered. */
export interface Unanswered {
  readonly fault: "unreadable" | "busy" | "late" | "failed"
  readonly reason: string
}

/** The same as an error of the API. */
export const fromHistory = ({ fault, reason }: Unanswered): HistoryBusy | HistoryTooSlow | HistoryUnavailable => {
  switch (fault) {
    case "busy":
      return new HistoryBusy({ reason, retryAfterSeconds: 1 })
    case "late":
      return new HistoryTooSlow({ reason })
    case "unreadable":
    case "failed":
      return new HistoryUnavailable({ reason })
  }
}
