import { Effect, Layer } from "effect"
import { makeAnswers } from "./ReportAnswers.ts"
import { makeGate, type ReportLimits } from "./ReportGate.ts"
import { Reports } from "./Reports.ts"

export interface InlineReportsOptions extends ReportLimits {
  readonly path: string
}

/**
 * Answers in the calling thread, which stands still meanwhile: for commands, and for hosts without worker threads. The
 * file is opened with the first question.
 */
export const layer = (options: InlineReportsOptions): Layer.Layer<Reports> =>
  Layer.scoped(
    Reports,
    Effect.map(makeAnswers(options.path), (answers) => {
      const { gate } = makeGate(options)
      return {
        compliance: (options) => gate(answers.compliance(options)),
        worst: (options) => gate(answers.worst(options)),
        untested: (options) => gate(answers.untested(options)),
        slot: (options) => gate(answers.slot(options)),
        probes: (options) => gate(answers.probes(options)),
        failures: (options) => gate(answers.failures(options)),
        peer: (options) => gate(answers.peer(options)),
        claims: (options) => gate(answers.claims(options)),
        peerDays: (options) => gate(answers.peerDays(options)),
        arrivals: (options) => gate(answers.arrivals(options)),
        slotArrivals: (options) => gate(answers.slotArrivals(options)),
        slots: (options) => gate(answers.slots(options)),
        availability: (options) => gate(answers.availability(options)),
        extent: gate(answers.extent)
      }
    })
  )
