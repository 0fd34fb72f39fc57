import "../wire/Polyfill.ts"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect } from "effect"
import { program } from "./Commands.ts"
import { endProcess } from "./EndProcess.ts"
import { exitCodeOf } from "./Failure.ts"

/** Runs the command line when it is imported. */
program(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => void Effect.runFork(endProcess(exitCodeOf(exit), onExit))
  })
)
