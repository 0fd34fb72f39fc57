import { HelpDoc, Options, Span, ValidationError } from "@effect/cli"
import { Effect, type Option, ParseResult, Schema } from "effect"
import { whole } from "../config/Values.ts"
import { networkNames } from "../domain/network/NetworkName.ts"

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

/** An option that takes a text, and may be left out. */
export const optionalText = (name: string, description: string) =>
  Options.text(name).pipe(Options.withDescription(description), Options.optional)

/** Has a schema read what an option gave; what is wrong with it is said in one line, behind the name of the option. */
export const checked =
  <I, B>(name: string, schema: Schema.Schema<B, I>) =>
  <A extends I>(option: Options.Options<A>): Options.Options<B> =>
    Options.mapEffect(option, (given) =>
      Effect.mapError(Schema.decode(schema)(given), (error) => {
        const messages = ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message }) => message)
        return ValidationError.invalidValue(HelpDoc.p(`--${name}: ${messages.join("; ")}`))
      })
    )

/**
 * A whole number in digits. For an option that may be given several times: of `Options.integer` the library (0.77) refuses a
 * single one.
 */
export const digits = (least: number, most: number) =>
  Schema.String.pipe(
    Schema.pattern(/^\d{1,15}$/, { message: () => `expected a whole number from ${least} to ${most}` }),
    Schema.compose(Schema.NumberFromString),
    Schema.compose(whole(least, most))
  )

/** How a command that looks at single nodes is told by which beacon node to judge them. */
export interface BeaconFlags {
  readonly network: Option.Option<string>
  readonly beaconApi: ReadonlyArray<string>
  readonly config: Option.Option<string>
}

/** The options for it; what of a configuration is used is said in `ofConfig`. */
export const beaconOptions = (ofConfig: string) => ({
  network: optionalText("network", `the network, where it is one of ${networkNames.join(", ")} (or DASMON_NETWORK)`),
  beaconApi: Options.text("beacon-api").pipe(
    Options.withDescription(
      "the beacon node that is believed about the chain; a public one will do (or DASMON_BEACON_API). Several, with " +
        "commas between or the flag again, in the order of preference"
    ),
    Options.repeated
  ),
  config: optionalText("config", `the configuration of a monitor (or DASMON_CONFIG): ${ofConfig}`)
})
