import { Schema } from "effect"

/**
 * The numbers and texts of the specification that are easily taken for each other. Each has a flavour: a plain number
 * or text is accepted for it, so that literals and sums need no constructor, but a slot is no epoch, and a root no peer
 * id.
 */
type Flavoured<Plain, Name extends string> = Plain & { readonly _flavour?: Name }

/** Slots are counted from genesis; before it they are negative, which no schema lets through. */
export type Slot = Flavoured<number, "Slot">
export const Slot = Schema.make<Slot>(Schema.NonNegativeInt.ast)

/** `Infinity` stands for an epoch that never comes (2^64-1), and is in no schema. */
export type Epoch = Flavoured<number, "Epoch">
export const Epoch = Schema.make<Epoch>(Schema.NonNegativeInt.ast)

/** The root of a block, `0x` and 64 digits in lower case: a `Map` key. `RootFromHex` (Bytes) reads it from outside. */
export type Root = Flavoured<string, "Root">
export const Root = Schema.make<Root>(Schema.String.ast)

/** A libp2p peer id in its usual form, such as `16Uiu2HAm…`. `isPeerId` (peer/NodeId) tells whether a text is one. */
export type PeerId = Flavoured<string, "PeerId">
export const PeerId = Schema.make<PeerId>(Schema.String.ast)
