import { clientFamily } from "../../domain/peer/ClientFamily.ts"

/** The name of a client, as in the metrics: `lighthouse` of `Lighthouse/v8.0.0-abcdef/x86_64-linux`. */
export const clientOf = (agent: string | null): string => clientFamily(agent)

/**
 * Client and version, `lighthouse v8.0.0` of `Lighthouse/v8.0.0-abcdef/x86_64-linux`: builds of one version are one. An
 * agent of no known client goes by the name that it gives itself.
 */
export const clientVersionOf = (agent: string | null): string => {
  const family = clientFamily(agent)
  if (agent === null || family === "unknown") return "unknown"
  const name = family === "other" ? plain(agent.split("/")[0] ?? "") || "other" : family
  const version = versionForm.exec(agent)?.[1]
  return version === undefined ? name : `${name} v${version}`
}

/** A release candidate is another version; the hash of a commit is not. */
const versionForm = /(?:^|[/\s])v?(\d+\.\d+(?:\.\d+)*(?:-(?:rc|alpha|beta)[\d.]*)?)/i

/** A stranger chose it: short, and without what would spoil a table. */
const plain = (text: string): string => text.replaceAll(/[^\w.+-]/g, "").slice(0, 32)
