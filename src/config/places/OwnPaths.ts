import { resolve } from "node:path"
import {
  type Config,
  identityFileOf,
  type KeyStyle,
  secondIdentityFileOf,
  spillFolderOf,
  writtenKey
} from "../Config.ts"
import { show, showPath } from "../Show.ts"

/** Where something is that the program writes, or reads and must not write. */
export interface OwnPath {
  /** The key that says where it is, as in `Config`; of what lies beside the database it is the database's. */
  readonly key: ReadonlyArray<string>
  /** Whether the key is set, or may be blamed on nobody. */
  readonly isGiven: boolean
  /** What it is, for a person. */
  readonly what: string
  readonly path: string
  /** Whether what follows the path in another one makes that its own too. */
  readonly takes: (rest: string) => boolean
}

/** A path that cannot be used beside another one. */
export interface PathConflict {
  readonly key: ReadonlyArray<string>
  readonly message: string
}

/** Everything that the program keeps on disk, those that nobody has chosen first. */
export const ownPaths = (config: Config): ReadonlyArray<OwnPath> => {
  const { databasePath, discovery, eventLogFile, eventLogKeep, identityFile, xatu } = config
  const database = ["databasePath"]
  const paths: ReadonlyArray<OwnPath> = [
    { key: database, isGiven: false, what: "the database", path: databasePath, takes: oneOf(sqliteNames) },
    {
      key: database,
      isGiven: false,
      what: "the folder of evidence beside the database",
      path: evidenceFolderOf(config),
      takes: (rest) => rest === "" || isWithin(rest)
    },
    {
      key: database,
      isGiven: false,
      what: "the ground truth beside the database",
      path: chainFileOf(config),
      takes: oneOf(sqliteNames)
    },
    {
      key: database,
      isGiven: false,
      what: "the ledger of proven columns beside the database",
      path: ledgerFileOf(config),
      takes: oneOf(sqliteNames)
    },
    {
      key: database,
      isGiven: false,
      what: "our own columns beside the database",
      path: custodyFileOf(config),
      takes: oneOf(sqliteNames)
    },
    {
      key: ["identityFile"],
      isGiven: identityFile !== undefined,
      what: "the private key",
      path: identityFileOf(config),
      takes: oneOf(identityNames)
    },
    ...(config.identities === 1
      ? []
      : [
          {
            key: ["identityFile"],
            isGiven: identityFile !== undefined,
            what: "the second private key",
            path: secondIdentityFileOf(config),
            takes: oneOf(identityNames)
          }
        ]),
    ...(xatu === undefined
      ? []
      : [
          {
            key: ["xatu", "spillFolder"],
            isGiven: xatu.spillFolder !== undefined,
            what: "the folder in which events for Xatu wait",
            path: spillFolderOf(config),
            takes: (rest: string) => rest === "" || /^\/\d{12}-\d{1,9}\.events(\/|$)/.test(rest)
          }
        ]),
    ...(xatu?.caFile === undefined ? [] : [onlyRead(["xatu", "caFile"], "the authorities of Xatu", xatu.caFile)]),
    ...(discovery.enrFile === undefined
      ? []
      : [onlyRead(["discovery", "enrFile"], "the file of ENRs", discovery.enrFile)]),
    ...(eventLogFile === undefined
      ? []
      : [
          {
            key: ["eventLogFile"],
            isGiven: true,
            what: "the event log",
            path: eventLogFile,
            takes: (rest: string) => {
              const [, number] = /^\.([1-9]\d*)$/.exec(rest) ?? []
              return rest === "" || isWithin(rest) || (number !== undefined && Number(number) <= eventLogKeep)
            }
          }
        ])
  ]
  return [...paths.filter(({ isGiven }) => !isGiven), ...paths.filter(({ isGiven }) => isGiven)]
}

/** A file that is read and stays as it is; without a key it is the configuration itself. */
export const onlyRead = (key: ReadonlyArray<string>, what: string, path: string): OwnPath => ({
  key,
  isGiven: key.length > 0,
  what,
  path,
  takes: oneOf([""])
})

/** Where the evidence is kept. */
export const evidenceFolderOf = ({ databasePath }: { readonly databasePath: string }): string =>
  `${databasePath}.evidence`

/** Where the ground truth of final slots is kept. */
export const chainFileOf = ({ databasePath }: { readonly databasePath: string }): string => `${databasePath}.chain`

/** Where the digests of proven columns are kept. */
export const ledgerFileOf = ({ databasePath }: { readonly databasePath: string }): string => `${databasePath}.ledger`

/** Where the columns are kept that our own node has taken custody of. */
export const custodyFileOf = ({ databasePath }: { readonly databasePath: string }): string => `${databasePath}.custody`

/** Those that are, or take, what is another's already. `place` gives the same text for what is the same on disk. */
export const pathConflicts = (
  paths: ReadonlyArray<OwnPath>,
  style: KeyStyle,
  place: (path: string) => string = (path) => resolve(path)
): ReadonlyArray<PathConflict> => {
  const placed = paths.map((own) => ({ own, at: place(own.path) }))
  return placed.flatMap(({ at, own }, index) => {
    const [first] = placed.slice(0, index).flatMap((other) => {
      const why = whyNot({ at, own }, other, style)
      return why === undefined ? [] : [why]
    })
    return first === undefined ? [] : [{ key: own.key, message: `${first}: give each a path of its own` }]
  })
}

interface Placed {
  readonly own: OwnPath
  readonly at: string
}

const whyNot = (mine: Placed, other: Placed, style: KeyStyle): string | undefined => {
  const key = other.own.key.map((part) => writtenKey(part, style))
  const theirs = key.length === 0 ? other.own.what : `${other.own.what} (${showPath(key)})`
  const rest = restOf(mine.at, other.at)
  if (rest !== undefined && other.own.takes(rest)) {
    const relation = rest === "" ? "is" : isWithin(rest) ? "is inside" : "belongs to"
    return `${show(mine.own.path)} ${relation} ${theirs}`
  }
  const back = restOf(other.at, mine.at)
  if (back === undefined || !mine.own.takes(back)) return undefined
  return isWithin(back)
    ? `${theirs} would be inside ${show(mine.own.path)}`
    : `${show(`${mine.own.path}${back}`)} belongs to it, and is ${theirs}`
}

const restOf = (path: string, beginning: string): string | undefined =>
  path.startsWith(beginning) ? path.slice(beginning.length) : undefined

/** Under a file there is nothing; in a folder of its own there is nothing of others. */
const isWithin = (rest: string): boolean => rest.startsWith("/")

const oneOf =
  (names: ReadonlyArray<string>) =>
  (rest: string): boolean =>
    names.includes(rest) || isWithin(rest)

/** Beside the private key is what we said of ourselves last: our metadata and our ENR. */
const identityNames = ["", ".metadata", ".enr"].flatMap((name) => [name, `${name}.tmp`])

/** What SQLite and the lock on the history put beside it. */
const sqliteNames = ["", "-wal", "-shm", "-journal", ".lock", ".lock-journal"]
