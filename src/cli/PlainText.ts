import { stripVTControlCharacters } from "node:util"
import { Console, Effect } from "effect"

/** Takes the colours out of what is printed where no terminal shows them, or where they are not wanted (`NO_COLOR`). */
export const plainWhereUnseen = <A, E, R>(program: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Console.consoleWith((console) =>
    Effect.withConsole(program, {
      ...console,
      log: (...texts) => console.log(...texts.map((text) => shownOn(process.stdout, text))),
      error: (...texts) => console.error(...texts.map((text) => shownOn(process.stderr, text)))
    })
  )

const shownOn = ({ isTTY }: NodeJS.WriteStream, text: unknown): unknown =>
  typeof text === "string" && (!isTTY || (process.env["NO_COLOR"] ?? "") !== "") ? stripVTControlCharacters(text) : text
