import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs"
import { StringDecoder } from "node:string_decoder"
import { Effect, Option, Schedule, Schema, type Scope } from "effect"
import type { Verdict } from "../../src/domain/peer/Verdict.ts"
import { LogLine } from "../../src/events/EventLog.ts"
import { type Accusation, makeAccusations } from "./Judge.ts"

/** What the event log has told, of all runs. */
export interface Story {
  readonly accusations: ReadonlyArray<Accusation>
  /** Every verdict that a peer ever had, once. */
  readonly verdicts: ReadonlyArray<{ readonly peerId: string; readonly verdict: Verdict }>
  readonly probes: number
  /** Events that are not in the log, though later ones of the same run are. */
  readonly lost: number
}

/** Takes in one line after the other, and keeps what there is to say about them. */
const makeStory = () => {
  const { all, see } = makeAccusations()
  const verdicts = new Map<string, Story["verdicts"][number]>()
  let probes = 0
  let lost = 0
  let newest = 0
  return {
    take: (line: LogLine): void => {
      if (line._tag === "Gap") return
      // Each run counts from 1 on.
      if (line.sequence > newest) lost += line.sequence - newest - 1
      newest = line.sequence
      see(line)
      if (line._tag === "Sampling") probes++
      if (line._tag !== "NodeTracking") return
      const { peerId, verdict } = line.peer
      verdicts.set(`${peerId} ${verdict}`, { peerId, verdict })
    },
    told: (): Story => ({ accusations: all(), verdicts: [...verdicts.values()], probes, lost })
  }
}

/**
 * Reads the event log as it grows, also where it is put aside and begun anew, so that an hour of it need be neither kept
 * nor read at once. Gives what it has told until now. A line that cannot be read is no event: a kill may have cut it off.
 */
export const followLog = (path: string): Effect.Effect<Effect.Effect<Story>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const story = makeStory()
    const buffer = Buffer.alloc(2 ** 20)
    let file: OpenFile | undefined
    const read = ({ decoder, fd, rest }: OpenFile): string => {
      let text = rest
      for (let bytes = readSync(fd, buffer); bytes > 0; bytes = readSync(fd, buffer)) {
        const lines = (text + decoder.write(buffer.subarray(0, bytes))).split("\n")
        text = lines.pop() ?? ""
        for (const line of lines) {
          const decoded = decode(line)
          if (Option.isSome(decoded)) story.take(decoded.value)
        }
      }
      return text
    }
    const look = Effect.sync(() => {
      if (file !== undefined) {
        file.rest = read(file)
        if (inodeAt(path) === fstatSync(file.fd).ino) return
        file.rest = read(file)
        closeSync(file.fd)
        file = undefined
      }
      if (inodeAt(path) === undefined) return
      file = { fd: openSync(path, "r"), decoder: new StringDecoder("utf8"), rest: "" }
      file.rest = read(file)
    })
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        if (file !== undefined) closeSync(file.fd)
      })
    )
    const one = yield* Effect.makeSemaphore(1)
    yield* Effect.forkScoped(Effect.repeat(one.withPermits(1)(look), Schedule.spaced("1 second")))
    return Effect.zipRight(one.withPermits(1)(look), Effect.sync(story.told))
  })

interface OpenFile {
  readonly fd: number
  readonly decoder: StringDecoder
  /** The beginning of a line. */
  rest: string
}

const decode = Schema.decodeOption(LogLine)

const inodeAt = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino
