/**
 * Why the program does not run on this version of Node (`20.20.2`), as one line that says what to do; `undefined` when
 * it does, as far as is known.
 *
 * Node 18 and earlier lack what libraries need while they are being imported. Nothing is known against any later one.
 */
export const refusal = (version: string): string | undefined =>
  Number.parseInt(version, 10) < 20
    ? `dasmon: Node ${version} is too old: install Node 24 (22 and 20.20 do as well), then run npm ci again`
    : undefined
