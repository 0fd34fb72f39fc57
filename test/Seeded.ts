import { Layer, Random } from "effect"

/** Whatever is built over it draws the same numbers each time: jitter, and what is asked next. */
export const layerSeeded = Layer.suspend(() => Layer.setRandom(Random.make(20_261_126)))
