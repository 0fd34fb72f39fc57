import { HelpDoc, Span } from "@effect/cli"
import { Effect } from "effect"

/** What a command does, with lines to copy. It is one paragraph: of anything else the list of commands shows nothing. */
export const help = (text: string, ...examples: ReadonlyArray<string>): HelpDoc.HelpDoc =>
  HelpDoc.p(
    Span.spans([
      Span.text(`${text}. ${examples.length === 1 ? "Example" : "Examples"}: `),
      ...examples.flatMap((example, index) => [
        ...(index === 0 ? [] : [Span.text("  |  ")]),
        Span.code(`dasmon ${example}`.trim())
      ])
    ])
  )

/** Loads what a command is made of once it is asked for: a network's libraries take seconds. */
export const lazy = <Module>(load: () => Promise<Module>): Effect.Effect<Module> => Effect.promise(load)
