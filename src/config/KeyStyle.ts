/** How keys are written: as in `Config`, or as in a file. */
export type KeyStyle = "camelCase" | "snake_case"

/** A key of `Config` in this style. */
export const written = (key: string, style: KeyStyle): string =>
  style === "camelCase" ? key : key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
