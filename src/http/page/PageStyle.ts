/** The style of the dashboard, for light and dark. */
export const style = `
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
.wrap { max-width: 1680px; margin: 0 auto; padding: 16px 20px 40px; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 16px; margin-bottom: 12px; }
h1 { font-size: 20px; margin: 0; }
h2 { font-size: 15px; margin: 0; }
.quiet { color: var(--quiet); } a { color: var(--ours); }
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
.columns { display: grid; grid-template-columns: minmax(0, 1fr) 330px; gap: 14px; align-items: start; }
@media (max-width: 1150px) { .columns { grid-template-columns: minmax(0, 1fr); } }
section { background: var(--surface); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; padding: 10px 12px; }
.bar input { margin-left: auto; }
input { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 6px;
  padding: 3px 8px; width: 220px; max-width: 100%; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 6px 8px; border-top: 1px solid var(--line); vertical-align: top; }
th { white-space: nowrap; background: var(--ground); }
th button { all: unset; cursor: pointer; font-size: 12px; font-weight: 600; color: var(--quiet); }
th button:hover { color: var(--ink); }
th button:focus-visible, input:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--ours); outline-offset: 2px; }
th[aria-sort="ascending"] button::after { content: " \\25B2"; }
th[aria-sort="descending"] button::after { content: " \\25BC"; }
td { font-variant-numeric: tabular-nums; }
table { font-size: 13px; }
td.agent { max-width: 120px; } td.custody { max-width: 100px; }
td.agent, td.custody { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
td.findings { min-width: 80px; }
td.failure { min-width: 190px; overflow-wrap: anywhere; }
code { font: 12px ui-monospace, monospace; }
td.nowrap, td.number { white-space: nowrap; } tbody tr:hover { background: var(--ground); } th.number, td.number { text-align: right; }
.badge { display: inline-block; border-radius: 10px; padding: 1px 9px; font-size: 12px; font-weight: 600; white-space: nowrap;
  color: var(--off); background: var(--off-bg); }
.badge.compliant { color: var(--good); background: var(--good-bg); }
.badge.violating, .badge.peer { color: var(--bad); background: var(--bad-bg); }
.badge.unresponsive, .badge.unproven { color: var(--warn); background: var(--warn-bg); }
.badge.refusing, .badge.finding { color: var(--ours); background: var(--ours-bg); }
.columns-strip { margin-bottom: 14px; }
#strip { display: grid; grid-template-columns: repeat(64, 1fr); gap: 2px; padding: 0 12px 12px; }
.cell { height: 14px; border-radius: 2px; background: var(--off-bg); }
.cell.good { background: var(--good); } .cell.bad { background: var(--bad); }
.side { display: grid; gap: 14px; grid-template-columns: minmax(0, 1fr); }
tbody tr { cursor: pointer; } tbody tr.chosen { background: var(--ours-bg); }
.bar button { margin-left: auto; font: inherit; font-size: 12px; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 6px; padding: 1px 8px; cursor: pointer; }
#detail-body { padding: 0 12px 10px; overflow-wrap: anywhere; font-size: 13px; } #detail-body h3 { margin: 8px 0 2px; font-size: 13px; }
.facts { margin: 0; } .fact { display: grid; grid-template-columns: 92px minmax(0, 1fr); padding: 2px 0; }
.fact dt { color: var(--quiet); } .fact dd { margin: 0; }
.failures { list-style: none; margin: 0; padding: 0; max-height: 40vh; overflow-y: auto; } .failures li { padding: 4px 0; border-top: 1px solid var(--line); }
.empty { padding: 24px 12px; text-align: center; color: var(--quiet); }
#feed { list-style: none; margin: 0; padding: 0; max-height: 75vh; overflow-y: auto; border-top: 1px solid var(--line); }
#feed li { padding: 7px 12px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
#feed .head { display: flex; flex-wrap: wrap; gap: 3px 8px; align-items: center; margin-bottom: 2px; }
#feed time { margin-left: auto; color: var(--quiet); font-size: 12px; }
`
