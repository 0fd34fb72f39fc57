import { layer } from "../../../src/discovery/book/MemoryBook.ts"
import { bookContract } from "./BookContract.ts"

bookContract("MemoryBook", layer({ most: 100 }))
