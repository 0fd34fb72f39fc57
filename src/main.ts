#!/usr/bin/env node
import "./wire/Polyfill.ts"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { program } from "./cli/Commands.ts"
import { exitCodeOf } from "./cli/Failure.ts"

program(process.argv).pipe(
  Effect.provide(NodeContext.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    disablePrettyLogger: true,
    teardown: (exit, onExit) => onExit(exitCodeOf(exit))
  })
)
