import { Schema } from "effect"
import { GoDuration } from "../../config/GoDuration.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { isPeerId } from "../../domain/peer/NodeId.ts"
import { clientFamilies } from "../../domain/peer/ClientFamily.ts"
import { OutcomeKind } from "../../domain/probe/Outcome.ts"
import { ArrivalsBy } from "../../domain/report/ArrivalQuestion.ts"
import { ComplianceBy } from "../../domain/report/Question.ts"
import { Verdict } from "../../domain/peer/Verdict.ts"

/** What may stand in a path or a query. An error says what is allowed, and never repeats what was sent. */

const saying = (allowed: string) => ({ message: () => ({ message: `must be ${allowed}`, override: true }) })

/** Digits only: neither an empty text nor `1e3` is a number here. */
export const integer = (least: number, most: number, description: string) =>
  Schema.String.pipe(
    Schema.pattern(/^\d{1,16}$/),
    Schema.compose(Schema.NumberFromString),
    Schema.between(least, most)
  ).annotations({
    ...saying(`a whole number from ${least} to ${most}`),
    jsonSchema: { type: "integer", minimum: least, maximum: most, description }
  })

const oneOf = <const Literals extends readonly [string, ...Array<string>]>(literals: Literals, description: string) =>
  Schema.Literal(...literals).annotations({ ...saying(`one of ${literals.join(", ")}`), description })

export const PeerId = Schema.String.pipe(Schema.filter(isPeerId)).annotations({
  ...saying("a libp2p peer id such as 16Uiu2HAm…"),
  jsonSchema: { type: "string", description: "A libp2p peer id." }
})

export const ProbeId = Schema.String.pipe(Schema.pattern(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/)).annotations({
  ...saying("the id of a probe, a UUID in lower case"),
  jsonSchema: { type: "string", format: "uuid", description: "The id of a probe." }
})

export const Slot = integer(0, 2 ** 31, "A slot.")
export const Column = integer(0, numberOfColumns - 1, "A column.")
export const ClaimedColumn = integer(0, numberOfColumns - 1, "Only peers that claim this column.")
export const PeerCursor = PeerId.annotations({
  jsonSchema: { type: "string", description: "`next` of the page before." }
})
export const VerdictParameter = oneOf(Verdict.literals, "Only peers with this verdict.")
export const ClientParameter = oneOf(clientFamilies, "Only peers whose agent names this client.")
export const OutcomeParameter = oneOf(
  OutcomeKind.literals,
  "Only probes with this outcome, of the slot and column if given."
)
export const ReportBy = oneOf(
  [...ComplianceBy.literals, "worst", "untested", ...ArrivalsBy.literals],
  "What to sum up by, as `dasmon report`; `client` if not given."
)
const trueOrFalse = (description: string) =>
  Schema.transform(Schema.Literal("true", "false"), Schema.Boolean, {
    strict: true,
    decode: (text) => text === "true",
    encode: (value) => (value ? "true" : "false")
  }).annotations({ ...saying("true or false"), jsonSchema: { type: "boolean", description } })

export const Connected = trueOrFalse("Only peers that are, or are not, connected.")
export const Suspicions = trueOrFalse("Only peers of whom something is, or nothing is, suspected and not settled.")
export const SinceThen = GoDuration("1ms", "36500d").annotations({
  ...saying("a duration from 1ms to 36500d, such as 12h or 7d"),
  jsonSchema: { type: "string", description: "Only the last while, such as `7d`." }
})
export const Since = GoDuration("1ms", "36500d").annotations({
  ...saying("a duration from 1ms to 36500d, such as 12h or 7d"),
  jsonSchema: { type: "string", description: "Only the last while, such as `7d`, in whole days of UTC." }
})
