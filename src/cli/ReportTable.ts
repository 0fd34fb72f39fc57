/** A cell of a report; `null` is what is not known. */
export type Cell = string | number | null

export interface Column<Row> {
  readonly title: string
  readonly of: (row: Row) => Cell
  /** Left out of a table when it holds nothing but zeros. */
  readonly optional?: boolean
}

/** Aligned columns: text on the left, numbers on the right. */
export const tableOf = <Row>(columns: ReadonlyArray<Column<Row>>, rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const shown = columns
    .map(({ of, optional, title }) => ({ title, optional, cells: rows.map(of) }))
    .filter(({ cells, optional }) => optional !== true || cells.some((cell) => cell !== 0 && cell !== null))
    .map(({ cells, title }) => {
      const texts = cells.map(textOf)
      const width = Math.max(title.length, ...texts.map(({ length }) => length))
      const right = cells.some((cell) => typeof cell === "number")
      return [title, ...texts].map((text) => (right ? text.padStart(width) : text.padEnd(width)))
    })
  return Array.from({ length: rows.length + 1 }, (_, line) =>
    shown
      .map((lines) => lines[line])
      .join("  ")
      .trimEnd()
  )
}

/** Comma-separated values (RFC 4180), the first line naming them: nested counts side by side, lists with spaces. */
export const csvOf = (rows: ReadonlyArray<object>): ReadonlyArray<string> => {
  const flat = rows.map((row) => new Map(fieldsOf(row)))
  const titles = [...new Set(flat.flatMap((row) => [...row.keys()]))]
  return [titles, ...flat.map((row) => titles.map((title) => row.get(title) ?? ""))].map((line) =>
    line.map(quoted).join(",")
  )
}

/** A JSON array, a row on each line. */
export const jsonOf = (rows: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  rows.length === 0
    ? ["[]"]
    : ["[", ...rows.map((row, index) => `  ${JSON.stringify(row)}${index < rows.length - 1 ? "," : ""}`), "]"]

/** `1,234,567`. */
export const countText = (count: number): string => count.toLocaleString("en-US")

/** Rounded down, so that only what is whole reads 100%. */
export const percentText = (fraction: number | null): string =>
  fraction === null ? "–" : fraction === 1 ? "100%" : `${(Math.floor(fraction * 10_000) / 100).toFixed(2)}%`

const textOf = (cell: Cell): string =>
  cell === null ? "–" : typeof cell === "number" ? countText(cell) : cell.replaceAll(/\p{C}/gu, "?")

const fieldsOf = (row: object): ReadonlyArray<readonly [title: string, text: string]> =>
  Object.entries(row).flatMap(([title, value]: [string, unknown]) =>
    Array.isArray(value)
      ? [[title, value.join(" ")] as const]
      : typeof value === "object" && value !== null
        ? fieldsOf(value)
        : [[title, value === null || value === undefined ? "" : String(value)] as const]
  )

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
