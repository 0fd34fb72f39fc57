import { Layer, Random } from "effect"

/** Whatever is built over it draws the same numbers each time: jitter, and what is asked next. */
export const layerSeeded = Layer.suspend(() => Layer.setRandom(Random.make(20_261_126)))

/** Whatever is built over it is never a moment late: every jitter is the least. */
export const layerPunctual = Layer.suspend(() => Layer.setRandom(Random.fixed([0])))
