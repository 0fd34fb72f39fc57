import { createHash } from "node:crypto"

/** Allows a page its own style and script, and connections to this server; nothing else. */
export const contentSecurityPolicyOf = ({
  script,
  style
}: {
  readonly script: string
  readonly style: string
}): string =>
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
