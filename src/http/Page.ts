import { createHash } from "node:crypto"

const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --surface: #ffffff; --ink: #1b1f24; --quiet: #59636e; --line: #d9dee4;
  --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; --off: #6e7781; --ours: #0a5fc2;
  --good-bg: #dafbe1; --bad-bg: #ffebe9; --warn-bg: #fff3c4; --off-bg: #eaeef2; --ours-bg: #ddf0ff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1116; --surface: #161b22; --ink: #e6edf3; --quiet: #9aa4af; --line: #2d343d;
    --good: #57d06f; --bad: #ff8780; --warn: #e3b341; --off: #9aa4af; --ours: #79b8ff;
    --good-bg: #12301b; --bad-bg: #431a1c; --warn-bg: #3a2d0c; --off-bg: #262c34; --ours-bg: #10294a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
.wrap { max-width: 1500px; margin: 0 auto; padding: 16px 20px 40px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin-bottom: 12px; }
h1 { font-size: 20px; margin: 0; }
h2 { font-size: 15px; margin: 0; }
.quiet { color: var(--quiet); }
#link { margin-left: auto; display: flex; align-items: center; gap: 6px; }
#link::before { content: ""; width: 9px; height: 9px; border-radius: 50%; background: var(--warn); }
#link[data-state="live"]::before { background: var(--good); }
#link[data-state="lost"]::before { background: var(--bad); }
#simulated { background: var(--warn-bg); color: var(--warn); padding: 8px 20px; text-align: center; font-weight: 600; }
[hidden] { display: none !important; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 10px; margin: 0 0 14px; }
.tiles div { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 8px 12px; }
.tiles dt { color: var(--quiet); font-size: 12px; }
.tiles dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tiles .violating dd { color: var(--bad); } .tiles .compliant dd { color: var(--good); }
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 380px; gap: 14px; align-items: start; }
@media (max-width: 1150px) { .columns { grid-template-columns: minmax(0, 1fr); } }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 10px 12px; }
.bar input { margin-left: auto; }
input { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px;
  padding: 3px 8px; width: 220px; max-width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 10px; border-top: 1px solid var(--line); vertical-align: top; }
th { white-space: nowrap; background: var(--ground); }
th button { all: unset; cursor: pointer; font-size: 12px; font-weight: 600; color: var(--quiet); }
th button:hover { color: var(--ink); }
th button:focus-visible, input:focus-visible { outline: 2px solid var(--ours); outline-offset: 2px; }
th[aria-sort="ascending"] button::after { content: " \\25B2"; }
th[aria-sort="descending"] button::after { content: " \\25BC"; }
td { font-variant-numeric: tabular-nums; }
td.text { overflow-wrap: anywhere; min-width: 150px; }
td.failure { min-width: 240px; }
code { font: 12px ui-monospace, monospace; }
td.nowrap, td.number { white-space: nowrap; } th.number, td.number { text-align: right; }
.badge { display: inline-block; border-radius: 10px; padding: 1px 9px; font-size: 12px; font-weight: 600; white-space: nowrap;
  color: var(--off); background: var(--off-bg); }
.badge.compliant { color: var(--good); background: var(--good-bg); }
.badge.violating, .badge.peer { color: var(--bad); background: var(--bad-bg); }
.badge.unresponsive, .badge.unproven { color: var(--warn); background: var(--warn-bg); }
.badge.refusing, .badge.finding { color: var(--ours); background: var(--ours-bg); }
.empty { padding: 24px 12px; text-align: center; color: var(--quiet); }
#feed { list-style: none; margin: 0; padding: 0; max-height: 75vh; overflow-y: auto; border-top: 1px solid var(--line); }
#feed li { padding: 7px 12px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
#feed .head { display: flex; flex-wrap: wrap; gap: 3px 8px; align-items: center; }
#feed time { margin-left: auto; color: var(--quiet); font-size: 12px; }
`

const script = `
"use strict"
const maxRows = 500, maxFeed = 200
const verdicts = ["violating", "unresponsive", "refusing", "unknown", "compliant"]
const blame = {
  missing: "peer", invalid: "peer", unavailable: "peer", malformed: "peer", timeout: "unproven", disconnected: "unproven"
}
const byId = (id) => document.getElementById(id)
const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0)
const element = (tag, className, text) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}
const shortId = (peerId) => peerId.length > 16 ? peerId.slice(0, 6) + "\\u2026" + peerId.slice(-6) : peerId
const idOf = (peerId) => { const code = element("code", "", shortId(peerId)); code.title = peerId; return code }
const failures = (peer) =>
  Object.entries(peer.outcomes).reduce((total, [kind, count]) => total + (blame[kind] === "peer" ? count : 0), 0)
const age = (at) => {
  if (at === null) return "never"
  const seconds = Math.max(0, Math.round((Date.now() - at) / 1000))
  if (seconds < 60) return seconds + " s ago"
  return seconds < 3600 ? Math.floor(seconds / 60) + " min ago" : Math.floor(seconds / 3600) + " h ago"
}
const custodyText = (custody) => {
  if (custody === null) return "\\u2013"
  if (custody.columns.length === 128) return "all 128"
  const shown = custody.columns.slice(0, 8).join(" ")
  return custody.columns.length + ": " + shown + (custody.columns.length > 8 ? " \\u2026" : "")
}
const outcomeTitle = (peer) =>
  Object.entries(peer.outcomes).filter(([, count]) => count > 0).map(([kind, count]) => kind + " " + count).join(", ")
const findingText = (peer) =>
  Object.entries(peer.findings).map(([kind, count]) => kind.replaceAll("_", " ") + " \\u00D7" + count).join(", ")

const columns = [
  { name: "Verdict", key: (peer) => verdicts.indexOf(peer.verdict),
    cell: (peer, td) => { td.append(element("span", "badge " + peer.verdict, peer.verdict)) } },
  { name: "Agent", className: "text", key: (peer) => peer.agent || "\\uFFFF", cell: (peer, td) => { td.textContent = peer.agent || "\\u2013" } },
  { name: "Peer", className: "nowrap", key: (peer) => peer.peerId,
    cell: (peer, td) => { td.append(idOf(peer.peerId)); if (peer.address) td.title = peer.address } },
  { name: "Custody", key: (peer) => peer.custody === null ? -1 : peer.custody.columns.length,
    cell: (peer, td) => {
      td.textContent = custodyText(peer.custody)
      if (peer.custody) td.title = "columns " + peer.custody.columns.join(" ") + " (from " + peer.custody.source + ")"
    } },
  { name: "Verified", className: "number", key: (peer) => sum(peer.outcomes) === 0 ? -1 : peer.outcomes.success / sum(peer.outcomes),
    cell: (peer, td) => { td.textContent = peer.outcomes.success + " / " + sum(peer.outcomes); td.title = outcomeTitle(peer) } },
  { name: "Failed", className: "number", key: failures, cell: (peer, td) => { td.textContent = failures(peer) || "\\u2013" } },
  { name: "Findings", key: (peer) => sum(peer.findings), cell: (peer, td) => { td.textContent = findingText(peer) || "\\u2013" } },
  { name: "Last failure", className: "text failure", key: (peer) => peer.lastFailure || "\\uFFFF",
    cell: (peer, td) => { td.textContent = peer.lastFailure || "\\u2013" } },
  { name: "Connected", key: (peer) => peer.connected ? 0 : 1, cell: (peer, td) => { td.textContent = peer.connected ? "yes" : "no" } },
  { name: "Last probe", className: "nowrap", key: (peer) => -(peer.lastProbeAt || 0),
    cell: (peer, td) => { td.textContent = age(peer.lastProbeAt) } }
]

let peers = new Map(), status = null, sort = { column: 0, descending: false }, scheduled = false

const headRow = byId("columns")
columns.forEach((column, index) => {
  const th = element("th", column.className === "number" ? "number" : "")
  th.scope = "col"
  const button = element("button", "", column.name)
  button.type = "button"
  button.addEventListener("click", () => {
    sort = { column: index, descending: sort.column === index && !sort.descending }
    draw()
  })
  th.append(button)
  headRow.append(th)
})
byId("filter").addEventListener("input", () => draw())

const compare = (a, b) => a < b ? -1 : a > b ? 1 : 0

const draw = () => {
  scheduled = false
  const wanted = byId("filter").value.trim().toLowerCase()
  const matches = (peer) => wanted === "" ||
    [peer.peerId, peer.agent, peer.address, peer.verdict, findingText(peer), peer.lastFailure]
      .some((text) => text && text.toLowerCase().includes(wanted))
  const key = columns[sort.column].key
  const all = [...peers.values()].filter(matches)
    .sort((a, b) => (sort.descending ? -1 : 1) * compare(key(a), key(b)) || compare(a.peerId, b.peerId))
  ;[...headRow.children].forEach((th, index) =>
    index === sort.column
      ? th.setAttribute("aria-sort", sort.descending ? "descending" : "ascending")
      : th.removeAttribute("aria-sort"))
  byId("rows").replaceChildren(...all.slice(0, maxRows).map((peer) => {
    const row = element("tr")
    for (const column of columns) {
      const td = element("td", column.className)
      column.cell(peer, td)
      row.append(td)
    }
    return row
  }))
  byId("none").hidden = all.length > 0
  byId("none").textContent = peers.size === 0 ? "No peers yet." : "No peer matches."
  byId("shown").textContent = all.length > maxRows ? "the first " + maxRows + " of " + all.length : String(all.length)
  drawStatus()
}

const drawStatus = () => {
  if (status === null) return
  const counts = Object.fromEntries(verdicts.map((verdict) => [verdict, 0]))
  let connected = 0
  for (const peer of peers.values()) { counts[peer.verdict]++; if (peer.connected) connected++ }
  for (const verdict of verdicts) byId("count-" + verdict).textContent = counts[verdict]
  byId("head").textContent = status.headSlot
  byId("connected").textContent = connected + " / " + peers.size
  byId("probes").textContent = status.probes.completed
  byId("verified").textContent = status.outcomes.success
  byId("truth").textContent =
    status.commitments.wanted === 0 ? "\\u2013" : Math.floor((100 * status.commitments.known) / status.commitments.wanted) + " %"
  byId("network").textContent = status.network
  byId("simulated").hidden = !status.simulated
  byId("simulated").textContent = "Simulated network: " + status.network +
    " runs on this machine, and some of its peers are dishonest on purpose."
  document.title = counts.violating > 0 ? "(" + counts.violating + ") dasmon" : "dasmon"
}

const schedule = () => {
  if (scheduled) return
  scheduled = true
  setTimeout(draw, 300)
}

const tell = (kind, className, peerId, text, at) => {
  const item = element("li")
  const head = element("div", "head")
  head.append(element("span", "badge " + className, kind.replaceAll("_", " ")), idOf(peerId))
  const peer = peers.get(peerId)
  if (peer && peer.agent) head.append(element("span", "quiet", peer.agent.split("/")[0]))
  const time = element("time", "", new Date(at).toLocaleTimeString())
  time.dateTime = new Date(at).toISOString()
  head.append(time)
  item.append(head, element("div", "", text))
  const feed = byId("feed")
  feed.prepend(item)
  while (feed.children.length > maxFeed) feed.lastElementChild.remove()
  byId("quiet").hidden = true
}

const addFindings = (peer, findings) => {
  for (const { kind } of findings) peer.findings[kind] = (peer.findings[kind] || 0) + 1
}

const onProbe = (probe, timestamp) => {
  const peer = peers.get(probe.job.peerId)
  const failed = new Map()
  for (const { outcome, reason } of probe.outcomes) {
    if (peer) peer.outcomes[outcome]++
    if (status) status.outcomes[outcome]++
    if (!blame[outcome]) continue
    const entry = failed.get(outcome)
    if (entry) entry.count++
    else failed.set(outcome, { count: 1, reason: reason || outcome })
    if (peer && reason) peer.lastFailure = reason
  }
  if (status) status.probes.completed++
  if (peer) { addFindings(peer, probe.findings); peer.lastProbeAt = probe.finishedAt }
  for (const { kind, detail } of probe.findings) tell(kind, "finding", probe.job.peerId, detail, timestamp)
  for (const [outcome, { count, reason }] of failed) {
    tell(outcome, blame[outcome], probe.job.peerId, count > 1 ? reason + " (and " + (count - 1) + " more)" : reason, timestamp)
  }
}

const onTracking = ({ change, detail, peer, peerId, timestamp }) => {
  if (change === "forgotten") peers.delete(peerId)
  else peers.set(peerId, peer)
  if (change === "verdict") tell(peer.verdict, peer.verdict, peerId, "Verdict: " + peer.verdict + (detail ? ". " + detail : ""), timestamp)
  if (change === "failed") tell("failed", "unproven", peerId, detail, timestamp)
}

const onCustody = ({ peerId, claim, findings, timestamp }) => {
  const peer = peers.get(peerId)
  if (peer) {
    peer.custody = { groupCount: claim.custodyGroupCount, columns: claim.columns,
      earliestAvailableSlot: claim.earliestAvailableSlot, source: claim.source }
    peer.headSlot = claim.headSlot
    addFindings(peer, findings)
  }
  for (const { kind, detail } of findings) tell(kind, "finding", peerId, detail, timestamp)
}

let delay = 500
const setLink = (state, text) => {
  if (byId("link").textContent === text) return
  byId("link").dataset.state = state
  byId("link").textContent = text
}

const connect = () => {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws")
  let heard = Date.now()
  // A heartbeat comes every 15 s: without two of them the connection is dead, whatever the browser thinks.
  const watch = setInterval(() => { if (Date.now() - heard > 40000) socket.close() }, 5000)
  socket.addEventListener("message", ({ data }) => {
    heard = Date.now()
    const message = JSON.parse(data)
    switch (message._tag) {
      case "Snapshot":
        delay = 500
        peers = new Map(message.peers.map((peer) => [peer.peerId, peer]))
        status = message.status
        setLink("live", "live")
        break
      case "Sampling": onProbe(message.probe, message.timestamp); break
      case "NodeTracking": onTracking(message); break
      case "CustodyUpdate": onCustody(message); break
      case "SystemSnapshot": status = message.status; break
      // What was lost is in the next snapshot.
      case "Gap": socket.close(); break
    }
    schedule()
  })
  socket.addEventListener("close", () => {
    clearInterval(watch)
    setLink("lost", "connection lost, trying again")
    setTimeout(connect, delay * (0.75 + Math.random() / 2))
    delay = Math.min(delay * 2, 15000)
  })
}

setInterval(schedule, 5000)
connect()
`

const tile = (id: string, name: string, className = ""): string =>
  `<div class="${className}"><dt>${name}</dt><dd id="${id}">–</dd></div>`

/** The dashboard: one document that asks for nothing but `/ws`. What peers say of themselves is only ever text in it. */
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
<div class="columns">
<section aria-labelledby="peers-title">
<div class="bar">
<h2 id="peers-title">Peers</h2><span class="quiet" id="shown">0</span>
<input id="filter" type="search" placeholder="Filter" aria-label="Filter peers by id, agent, verdict or reason">
</div>
<div class="scroll">
<table>
<thead><tr id="columns"></tr></thead>
<tbody id="rows"></tbody>
</table>
</div>
<div class="empty" id="none">No peers yet.</div>
</section>
<section aria-labelledby="feed-title">
<div class="bar"><h2 id="feed-title">Findings and failures</h2><span class="quiet">newest first</span></div>
<ol id="feed" role="log" aria-live="polite" aria-relevant="additions" tabindex="0"></ol>
<div class="empty" id="quiet">Nothing yet.</div>
</section>
</div>
<noscript>This page shows live data and needs JavaScript. The same data is at /status and /peers.</noscript>
</div>
<script>${script}</script>
</body>
</html>
`

const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

/** Allows this page's own style and script, and connections to this server; nothing else. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src ${hash(style)}`,
  `script-src ${hash(script)}`,
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")
