import { EventEmitter } from "node:events"

/** What of the library tells events, as what it is at run time: its types lose the methods on the way. */
export const emitterOf = (thing: object): EventEmitter => {
  if (thing instanceof EventEmitter) return thing
  throw new Error("discv5 tells no events")
}
