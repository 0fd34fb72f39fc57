import { Effect } from "effect"
import type { ScanStep } from "../../domain/scan/ScanStep.ts"
import type { PeerId } from "../../domain/Primitives.ts"

/** The line that says where a run is, on a terminal. */
export interface ScanProgress {
  readonly step: (peerId: PeerId, step: ScanStep) => Effect.Effect<void>
  /** Takes the line away, prints, and shows it again. */
  readonly print: (text: string) => Effect.Effect<void>
  /** Takes it away for good. */
  readonly end: Effect.Effect<void>
}

export interface ProgressOptions {
  readonly total: number
  /** Whether there is a terminal to show a line on; without one only `print` does anything. */
  readonly isTerminal: boolean
  readonly print: (text: string) => Effect.Effect<void>
  /** Where the line goes. */
  readonly write: (text: string) => void
}

export const makeScanProgress = ({ isTerminal, print, total, write }: ProgressOptions): ScanProgress => {
  const underWay = new Map<PeerId, ScanStep>()
  let finished = 0
  let isEnded = false

  const show = Effect.sync(() => {
    if (!isTerminal || isEnded) return
    const newest = [...underWay].at(-1)
    const what = newest === undefined ? "" : `  …${newest[0].slice(-6)} ${newest[1].stage}: ${newest[1].detail}`
    write(`${clear}${`scanning ${finished + 1 > total ? total : finished + 1} of ${total}${what}`.slice(0, mostShown)}`)
  })
  const hide = Effect.sync(() => {
    if (isTerminal) write(clear)
  })

  return {
    step: (peerId, step) =>
      Effect.suspend(() => {
        underWay.delete(peerId)
        if (step.stage === "finished") finished++
        else underWay.set(peerId, step)
        return show
      }),
    print: (text) => hide.pipe(Effect.zipRight(print(text)), Effect.zipRight(show)),
    end: Effect.suspend(() => {
      isEnded = true
      return hide
    })
  }
}

/** To the start of the line, and nothing behind it. */
const clear = "\r\u001b[K"
const mostShown = 79
