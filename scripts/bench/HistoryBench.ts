import { Effect } from "effect"
import { type Bench, rounded, type Table } from "./Bench.ts"
import { fillHistory } from "./FillHistory.ts"
import { coverageBytes, historyLoad } from "./HistoryLoad.ts"
import { questionTimes } from "./Questions.ts"
import { restart } from "./Restart.ts"

/** Recording at full speed, and asking and starting over a history that is full. */
export const history: Bench = {
  name: "history",
  description: "recording 20,000 combinations a second; questions and a restart over 100 million of them",
  run: ({ folder, quick }) =>
    Effect.gen(function* () {
      const recording = yield* recordingTable(`${folder}/recorded.db`, quick ? 5 : 30)
      const path = `${folder}/full.db`
      const combinations = quick ? 1_000_000 : 100_000_000
      const peers = quick ? 500 : 10_000
      yield* fillHistory({ path, combinations, peers, days: 18 })
      const bytes = yield* coverageBytes(path)
      const questions = yield* questionTimes({ path, times: quick ? 5 : 15 })
      const started = yield* restart({ path, peers: quick ? 50 : 500 })
      return [
        recording,
        {
          title: `Questions about ${combinations} combinations of ${peers} peers`,
          columns: ["question", "median", "maximum", "goal", "met"],
          rows: [
            ...questions.map(({ maxMs, medianMs, question }): Table["rows"][number] => [
              question,
              milliseconds(medianMs),
              milliseconds(maxMs),
              "< 100 ms",
              medianMs < 100
            ]),
            ["coverage on disk", `${rounded(bytes)} byte/combination`, "", "<= 1", bytes <= 1]
          ]
        },
        {
          title: "Starting over it",
          columns: ["", "measured", "goal", "met"],
          rows: [
            ["open", milliseconds(started.openMs), "", true],
            ["first job of a peer, median", milliseconds(started.firstJobMedianMs), "", true],
            ["first job of a peer, maximum", milliseconds(started.firstJobMaxMs), "", true],
            [
              "event-loop delay, 99th percentile",
              milliseconds(started.eventLoopDelayP99),
              "< 50 ms",
              started.eventLoopDelayP99 < 50
            ],
            ["event-loop delay, maximum", milliseconds(started.eventLoopDelayMax), "", true]
          ]
        }
      ]
    })
}

const recordingTable = Effect.fnUntraced(function* (path: string, seconds: number) {
  const load = yield* historyLoad({ path, combinationsPerSecond: 20_000, seconds, peers: 1_000 })
  const rate = load.combinations / load.seconds
  return {
    title: `Recording for ${seconds} s, 1,000 peers with 8 columns`,
    columns: ["", "measured", "goal", "met"],
    rows: [
      ["combinations a second, on disk", Math.round(rate), ">= 19,500", rate >= 19_500],
      [
        "combinations a CPU-second",
        Math.round(load.combinations / load.cpuSeconds),
        ">= 20,000",
        load.combinations / load.cpuSeconds >= 20_000
      ],
      ["event-loop delay, median", milliseconds(load.eventLoopDelayP50), "", true],
      [
        "event-loop delay, 99th percentile",
        milliseconds(load.eventLoopDelayP99),
        "< 30 ms",
        load.eventLoopDelayP99 < 30
      ],
      ["event-loop delay, maximum", milliseconds(load.eventLoopDelayMax), "", true],
      ["cores used", rounded(load.cpuSeconds / load.seconds), "", true],
      ["whole database", `${rounded(load.bytesOnDisk / load.combinations)} byte/combination`, "", true],
      [
        "coverage, one probe a chunk",
        `${rounded(load.coverageBytesPerCombination)} byte/combination`,
        "<= 1",
        load.coverageBytesPerCombination <= 1
      ]
    ]
  } satisfies Table
})

const milliseconds = (value: number): string => `${rounded(value, 1)} ms`
