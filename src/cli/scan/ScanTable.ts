import { oneLine } from "../../domain/Text.ts"
import type { OutcomeKind } from "../../domain/probe/Outcome.ts"
import type { Cell, ScanReport } from "../../domain/scan/ScanReport.ts"

/** Characters in a line. */
const width = 80
/** Columns up to which each has its number above it. */
const mostNumbered = 16
/** Columns of which a line shows more than that, and how they are grouped. */
const dense = { group: 16, groups: 4 }
const labelWidth = 11

/** A report for a person to read: facts, the table of slots and columns, and the sentence; 80 characters wide. */
export const scanTable = (report: ScanReport): ReadonlyArray<string> => [
  rule(report.peerId),
  ...facts(report).flatMap(([label, text]) => labelled(label, text)),
  ...checkLines(report),
  ...cellLines(report),
  "",
  ...wrapped(`${report.verdict.toUpperCase()}: ${report.sentence}`, width),
  ""
]

/** How many of many came to what. */
export const scanSummary = (reports: ReadonlyArray<ScanReport>): string => {
  const counts = new Map<string, number>()
  for (const { verdict } of reports) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  return `${reports.length} scanned: ${[...counts].map(([verdict, count]) => `${count} ${verdict}`).join(", ")}`
}

const rule = (title: string): string => `── ${title} `.padEnd(width, "─")

const facts = (report: ScanReport): ReadonlyArray<readonly [label: string, text: string]> => {
  const { claim, connection, metadata, pings, status } = report
  const [place = "nowhere"] = report.addresses
  const found = report.addressesFrom === "target" ? "" : ` (from the ${report.addressesFrom})`
  const answered = pings.flatMap(({ ms }) => (ms === null ? [] : [ms]))
  return [
    ["address", `${(connection?.address ?? place).replace(/\/p2p\/.*$/, "")}${found}`],
    ...(connection === null
      ? []
      : ([
          ["client", connection.agent ?? "it does not say"],
          ["reached", `in ${connection.dialMs} ms; ${pingText(answered, pings.length)}`]
        ] as const)),
    ...(status === null
      ? []
      : ([
          [
            "status",
            `head ${status.headSlot} (ours ${status.ours.headSlot}), finalized epoch ${status.finalizedEpoch ?? "none"} (ours ${status.ours.finalizedEpoch ?? "none"})`
          ]
        ] as const)),
    ...(metadata === null
      ? []
      : ([
          [
            "metadata",
            `sequence number ${metadata.sequenceNumber ?? "none"}, ${metadata.custodyGroupCount ?? "no number of"} custody groups`
          ],
          ...(metadata.subnets === null
            ? []
            : ([
                [
                  "subnets",
                  `attestations ${metadata.subnets.attnets.join(" ") || "none"}; sync committee ${metadata.subnets.syncnets.join(" ") || "none"}`
                ]
              ] as const))
        ] as const)),
    ...(claim === null
      ? []
      : ([
          [
            "claims",
            `${claim.columns.length === 128 ? "all 128 columns" : `columns ${claim.columns.join(" ")}`}, from slot ${claim.earliestAvailableSlot ?? "(it does not say)"} on`
          ]
        ] as const))
  ]
}

const pingText = (answered: ReadonlyArray<number>, asked: number): string => {
  if (asked === 0) return "not pinged"
  const times = answered.length === 0 ? "" : ` in ${answered.join(", ")} ms`
  return `${answered.length} of ${asked} pings answered${times}`
}

/** Those that are well are named; the others say what is the matter. */
const checkLines = ({ checks, notes }: ScanReport): ReadonlyArray<string> => {
  const well = checks.filter(({ result }) => result === "ok").map(({ name }) => name.replaceAll("_", " "))
  const others = checks.filter(({ result }) => result !== "ok")
  return [
    ...(well.length === 0 ? [] : labelled("in order", well.join(", "))),
    ...others.flatMap(({ detail, result }) => labelled(marks[result], detail)),
    ...notes.flatMap((note) => labelled("note", note))
  ]
}

const marks = { bad: "WRONG", note: "note", unknown: "unknown", ok: "in order" } as const

const cellLines = (report: ScanReport): ReadonlyArray<string> => {
  const { cells, columns, passedOver, slots } = report
  const shown = columns.filter(
    (column) => cells.some((cell) => cell.column === column) || columns.length <= mostNumbered
  )
  const places = new Map(cells.map((cell) => [`${cell.slot}/${cell.column}`, cell]))
  const at = (slot: number, column: number): string => markOf(places.get(`${slot}/${column}`))
  const lines =
    slots.length === 0 || shown.length === 0
      ? []
      : shown.length <= mostNumbered
        ? numbered(slots, shown, at, blobsOf(cells))
        : blocks(shown).flatMap((block) => grouped(slots, block, at))
  const legend = [...new Set(slots.flatMap((slot) => shown.map((column) => at(slot, column))))]
  return [
    ...(lines.length === 0 ? [] : ["", ...lines, "", ...wrapped(legend.map(meaningOf).join("; "), width)]),
    ...passedOver
      .slice(0, mostPassedOver)
      .flatMap(({ reason, slot }) => labelled("not asked", `slot ${slot}: ${reason}`)),
    ...(passedOver.length > mostPassedOver
      ? labelled("not asked", `and ${passedOver.length - mostPassedOver} slots more`)
      : [])
  ]
}

/** Lines about slots that were not asked for. */
const mostPassedOver = 8

type At = (slot: number, column: number) => string

const numbered = (
  slots: ReadonlyArray<number>,
  columns: ReadonlyArray<number>,
  at: At,
  blobs: (slot: number) => string
): ReadonlyArray<string> => [
  `${"slot".padStart(slotWidth)} blobs${columns.map((column) => String(column).padStart(4)).join("")}`,
  ...slots.map(
    (slot) =>
      `${String(slot).padStart(slotWidth)} ${blobs(slot).padStart(5)}${columns.map((column) => at(slot, column).padStart(4)).join("")}`
  )
]

const slotWidth = 9

const blobsOf =
  (cells: ReadonlyArray<Cell>) =>
  (slot: number): string =>
    String(cells.find((cell) => cell.slot === slot)?.blobs ?? "")

const blocks = (columns: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  chunks(columns, dense.group * dense.groups)

/** One character a column; the number of the first column of each group stands above it. */
const grouped = (slots: ReadonlyArray<number>, columns: ReadonlyArray<number>, at: At): ReadonlyArray<string> => {
  const groups = chunks(columns, dense.group)
  return [
    `${"slot".padStart(slotWidth)} ${groups.map(([first]) => String(first ?? "").padEnd(dense.group)).join(" ")}`.trimEnd(),
    ...slots.map(
      (slot) =>
        `${String(slot).padStart(slotWidth)} ${groups.map((group) => group.map((column) => at(slot, column)).join("")).join(" ")}`
    )
  ]
}

const chunks = <A>(all: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))

const untested = "·"
const signs: Readonly<Record<OutcomeKind, readonly [sign: string, meaning: string]>> = {
  success: ["✓", "came and verifies"],
  missing: ["✗", "missing"],
  invalid: ["!", "wrong data"],
  unavailable: ["U", "said to be unavailable"],
  malformed: ["M", "unreadable"],
  suspected: ["?", "open"],
  timeout: ["t", "no answer in time"],
  disconnected: ["d", "connection lost"],
  refused: ["r", "refused us"],
  unverifiable: ["-", "cannot be judged"]
}

const markOf = (cell: Cell | undefined): string => (cell === undefined ? untested : signs[cell.outcome][0])

const meaningOf = (sign: string): string => {
  const known = Object.values(signs).find(([one]) => one === sign)
  return `${sign} ${known === undefined ? "not asked, or not owed" : known[1]}`
}

const labelled = (label: string, text: string): ReadonlyArray<string> =>
  wrapped(text, width - labelWidth).map((line, index) => `${(index === 0 ? label : "").padEnd(labelWidth)}${line}`)

/** Broken between words; a word that is longer than a line is cut. */
const wrapped = (text: string, most: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = ""
  for (const word of oneLine(text)
    .split(" ")
    .flatMap((word) => chunksOfWord(word, most))) {
    if (line !== "" && line.length + 1 + word.length > most) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line]
}

const chunksOfWord = (word: string, most: number): ReadonlyArray<string> =>
  word.length <= most ? [word] : chunks([...word], most).map((part) => part.join(""))
