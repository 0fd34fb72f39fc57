import { createHash } from "node:crypto"
import { fileURLToPath } from "node:url"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { Effect } from "effect"

/** A page that is one document, and the policy that allows it nothing else. */
export interface Page {
  readonly html: string
  readonly contentSecurityPolicy: string
}

/**
 * Reads a page of `assets/`. The style sheets and scripts that it names are put into it, each kind as one element. Files
 * that are not there are a defect: the program was not built as a whole.
 */
export const readPage = Effect.fn("Page.read")(
  function* (name: "dashboard.html" | "docs.html") {
    const fs = yield* FileSystem.FileSystem
    const read = (name: string) => fs.readFileString(fileURLToPath(new URL(`./assets/${name}`, import.meta.url)))
    const together = (names: ReadonlyArray<string>) =>
      Effect.map(Effect.forEach(names, read), (texts) => texts.map((text) => `\n${text}`).join(""))
    const html = yield* read(name)
    const style = yield* together(namesIn(html, styleSheet))
    const script = yield* together(namesIn(html, scriptFile))
    const page: Page = {
      html: html
        .replace(runOf(styleSheet), () => `<style>${style}</style>\n`)
        .replace(runOf(scriptFile), () => `<script>${script}</script>\n`),
      contentSecurityPolicy: policyFor(style, script)
    }
    return page
  },
  Effect.orDie,
  Effect.provide(NodeFileSystem.layer)
)

const styleSheet = /<link rel="stylesheet" href="([^"]+)">\n/g
const scriptFile = /<script src="([^"]+)"><\/script>\n/g

const namesIn = (html: string, element: RegExp): ReadonlyArray<string> =>
  [...html.matchAll(element)].flatMap(([, name]) => name ?? [])

/** Such elements, one after the other. */
const runOf = ({ source }: RegExp): RegExp => new RegExp(`(?:${source})+`)

/** Allows a page its own style and script, and connections to this server; nothing else. */
const policyFor = (style: string, script: string): string =>
  [
    "default-src 'none'",
    `style-src ${hash(style)}`,
    `script-src ${hash(script)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`
