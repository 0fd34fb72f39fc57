import { Context } from "effect"
import type { PeerId } from "../domain/Primitives.ts"

/**
 * What identify told of a peer beside its agent. It is optional: without it nobody knows what a peer offers before it is
 * asked.
 */
export class Identified extends Context.Tag("dasmon/Identified")<
  Identified,
  {
    /** The protocols that a connected peer offers, in the order in which it said so; none before it has. */
    readonly protocolsOf: (peerId: PeerId) => ReadonlyArray<string>
  }
>() {}
