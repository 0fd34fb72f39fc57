import { FileSystem } from "@effect/platform"
import { Effect } from "effect"

/** `fs`, of which an open file does some things in another way. */
export const withFiles = (
  fs: FileSystem.FileSystem,
  alter: (file: FileSystem.File) => Partial<Pick<FileSystem.File, "truncate" | "writeAll">>
): FileSystem.FileSystem => ({
  ...fs,
  open: (path, options) =>
    Effect.map(fs.open(path, options), (file) => ({
      // A file is a class: a spread has its fields only.
      ...file,
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: file.stat,
      seek: file.seek.bind(file),
      read: file.read.bind(file),
      truncate: file.truncate.bind(file),
      writeAll: file.writeAll.bind(file),
      ...alter(file)
    }))
})
