import { Layer } from "effect"
import { AddressBook } from "./AddressBook.ts"
import { makeShelf, type ShelfOptions } from "./Shelf.ts"

/** An address book that ends with the program. */
export const layer = (options: Pick<ShelfOptions, "entries" | "most"> = {}): Layer.Layer<AddressBook> =>
  Layer.sync(AddressBook, () => makeShelf(options).book)
