import { contentSecurityPolicyOf } from "../server/ContentSecurityPolicy.ts"
import { detailScript } from "./PageDetail.ts"
import { script as mainScript } from "./PageScript.ts"
import { style } from "./PageStyle.ts"

const script = `${mainScript}${detailScript}`

const tile = (id: string, name: string, className = ""): string =>
  `<div class="${className}"><dt>${name}</dt><dd id="${id}">–</dd></div>`

/** The dashboard: one document that asks for nothing but `/ws`, `/columns` and the peer that is looked at. What peers say of themselves is only ever text in it. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dasmon</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<div id="simulated" role="note" hidden></div>
<div class="wrap">
<header>
<h1>dasmon</h1>
<span class="quiet">Are peers storing the data columns that they say they store? Network: <strong id="network">–</strong></span>
<a href="docs">API</a>
<span id="link" role="status" aria-live="polite">connecting</span>
</header>
<dl class="tiles">
${tile("head", "Head slot")}
${tile("count-violating", "Violating", "violating")}
${tile("count-unresponsive", "Unresponsive")}
${tile("count-refusing", "Refusing")}
${tile("count-unknown", "Unknown")}
${tile("count-compliant", "Compliant", "compliant")}
${tile("connected", "Connected")}
${tile("probes", "Probes")}
${tile("verified", "Columns verified")}
${tile("truth", "Blocks known")}
</dl>
<section class="columns-strip" aria-labelledby="strip-title">
<div class="bar"><h2 id="strip-title">Columns 0 to 127</h2><span class="quiet" id="strip-note"></span></div>
<div id="strip"></div>
</section>
<div class="columns">
<section aria-labelledby="peers-title">
<div class="bar">
<h2 id="peers-title">Peers</h2><span class="quiet" id="shown">0</span>
<input id="filter" type="search" placeholder="Filter" aria-label="Filter peers by id, agent, verdict or reason">
</div>
<div class="scroll" role="region" aria-labelledby="peers-title" tabindex="0">
<table aria-labelledby="peers-title">
<thead><tr id="columns"></tr></thead>
<tbody id="rows"></tbody>
</table>
</div>
<div class="empty" id="none">No peers yet.</div>
</section>
<div class="side">
<section id="detail" aria-labelledby="detail-title" hidden>
<div class="bar"><h2 id="detail-title">One peer</h2><button type="button" id="detail-close">close</button></div>
<div id="detail-body" aria-live="polite"></div>
</section>
<section aria-labelledby="feed-title">
<div class="bar"><h2 id="feed-title">Findings and failures</h2><span class="quiet">newest first</span></div>
<ol id="feed" role="log" aria-live="polite" aria-relevant="additions" tabindex="0"></ol>
<div class="empty" id="quiet">Nothing since this page was opened.</div>
</section>
</div>
</div>
<noscript>This page shows live data and needs JavaScript. The same data is at /status and /peers; /docs tells of the rest.</noscript>
</div>
<script>${script}</script>
</body>
</html>
`

export const contentSecurityPolicy = contentSecurityPolicyOf({ script, style })
