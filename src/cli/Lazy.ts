import { Effect } from "effect"

/** Loads what a command is made of once it is asked for: a network's libraries take seconds. */
export const lazy = <Module>(load: () => Promise<Module>): Effect.Effect<Module> => Effect.promise(load)
