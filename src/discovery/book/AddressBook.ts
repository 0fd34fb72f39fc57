import { Context, type Effect } from "effect"
import type { PeerId } from "../../domain/Primitives.ts"
import type { BookChange, BookEntry, Heard } from "./BookEntry.ts"

/**
 * The nodes that we know of, and what came of them. At most 20,000; when there are more, those go of whom the least is
 * known. What is written here is read at once, and is on disk, where there is one, within seconds.
 */
export class AddressBook extends Context.Tag("dasmon/AddressBook")<
  AddressBook,
  {
    /** All of them, as they are at this moment. Read at once, and not kept: it changes. */
    readonly entries: () => ReadonlyMap<PeerId, BookEntry>
    /** A node was heard of, now. */
    readonly hear: (heard: Heard) => Effect.Effect<void>
    /** Something was found out about a node; nothing happens if it is not in the book. */
    readonly note: (peerId: PeerId, change: BookChange) => Effect.Effect<void>
  }
>() {}
