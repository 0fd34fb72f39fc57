import { docsScript } from "./DocsScript.ts"
import { contentSecurityPolicyOf } from "../server/ContentSecurityPolicy.ts"
import { style as pageStyle } from "./PageStyle.ts"

const style = `${pageStyle}
.wrap { max-width: 960px; }
h1 { font-size: 20px; } h2 { margin: 28px 0 2px; text-transform: capitalize; font-size: 18px; } h3 { margin: 0; font-size: 15px; }
article { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; margin: 10px 0; }
article p { margin: 6px 0 8px; } article:target { border-color: var(--ours); }
h3 code { font-size: 14px; } .method { font: 700 12px ui-monospace, monospace; color: var(--ours); } .method.post { color: var(--warn); }
.try { float: right; font-size: 13px; font-weight: 400; } a { color: var(--ours); }
td { border-top: 0; padding: 2px 14px 2px 0; } details { margin: 3px 0; } summary { cursor: pointer; }
code.good { color: var(--good); } code.bad { color: var(--warn); }
pre { font: 12px/1.5 ui-monospace, monospace; overflow-x: auto; margin: 6px 0; }
`

/** The API for people, by its own description: one document that asks for nothing but `/openapi.json`. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dasmon API</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div class="wrap">
<header><h1>dasmon API</h1><span class="quiet" id="version"></span></header>
<p id="about"></p>
<p class="quiet">In machine-readable form: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1). Beside it: <code>/ws</code>, a
WebSocket, and <code>/events</code>, server-sent events, stream everything that happens.</p>
<main id="main">Loading …</main>
<noscript>This page needs JavaScript. What it shows is in openapi.json.</noscript>
</div>
<script>${docsScript}</script>
</body>
</html>
`

export const contentSecurityPolicy = contentSecurityPolicyOf({ script: docsScript, style })
