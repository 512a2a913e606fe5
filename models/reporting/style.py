"""The style sheet of every page: light or dark as the reader prefers, from 320 px on."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1f23; --paper: #ffffff; --soft: #f3f5f7;
  --line: #d5dae0; --faint: #e6e9ed; --quiet: #59636e; --link: #0b5cad; --shade: 11 92 173;
  --t0: #0072b2; --t1: #c94f00; --t2: #00795a; --t3: #a8487f; --t4: #946200; --t5: #2a7fb0;
  --t6: #1c1f23; --t7: #7a838c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --paper: #15181c; --soft: #1f242a;
  --line: #3a424b; --faint: #2a3037; --quiet: #a2abb5; --link: #7cb7f2; --shade: 90 160 230;
  --t0: #58b0ec; --t1: #ff8f50; --t2: #3ccb9f; --t3: #e79bc7; --t4: #edb52f; --t5: #9ad6f7;
  --t6: #e6e8eb; --t7: #8c96a1; } }
* { box-sizing: border-box; }
html { overflow-wrap: break-word; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .4rem 0 .8rem; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3rem 0 .6rem; padding-top: 1rem;
  border-top: 1px solid var(--line); scroll-margin-top: .5rem; }
p { max-width: 46rem; margin: .6rem 0; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin: 1.2rem 0; }
nav a { padding: .2rem .7rem; border: 1px solid var(--line); border-radius: 1rem;
  font-size: .9rem; text-decoration: none; }
nav a:hover { background: var(--soft); }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0;
  cursor: pointer; }
.wide-table { overflow-x: auto; margin: 1rem 0; border: 1px solid var(--line);
  border-radius: 6px; }
table { border-collapse: separate; border-spacing: 0; font-size: .9rem;
  font-variant-numeric: tabular-nums; }
.wide-table > table { min-width: 100%; }
th, td { padding: .4rem .75rem; text-align: left; vertical-align: top; }
td { white-space: nowrap; border-top: 1px solid var(--faint); }
tr.under td { border-top: 0; padding-top: 0; color: var(--quiet); }
td.long { white-space: normal; min-width: 18rem; }
th.n, td.n { text-align: right; }
td small { display: block; color: var(--quiet); font-size: .8rem; }
th { background: var(--soft); vertical-align: bottom; font-weight: 600; line-height: 1.25; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); z-index: 1;
  max-width: 45vw; overflow: hidden; text-overflow: ellipsis; }
th:first-child { background: var(--soft); }
th button { text-align: inherit; }
th button::after { content: "\u00a0↕"; color: var(--quiet); font-weight: 400; }
th[aria-sort=ascending] button::after { content: "\u00a0↑"; color: var(--link); }
th[aria-sort=descending] button::after { content: "\u00a0↓"; color: var(--link); }
.pictures { display: grid; gap: 1.5rem 2rem; align-items: start; margin: 1.2rem 0;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); }
figure { margin: 0; min-width: 0; }
figure.full { grid-column: 1 / -1; }
img { display: block; max-width: 100%; height: auto; background: #ffffff;
  border: 1px solid var(--line); border-radius: 4px; }
audio { width: 100%; max-width: 30rem; }
figcaption { color: var(--quiet); font-size: .88rem; line-height: 1.45; max-width: 46rem;
  margin-top: .4rem; }
.head { display: flex; gap: .5rem; align-items: center; justify-content: space-between;
  min-height: 2rem; font-weight: 600; }
.tools { display: flex; gap: .25rem; font-weight: 400; font-size: .85rem; opacity: .75; }
figure:hover .tools, figure:focus-within .tools { opacity: 1; }
.tools button { min-width: 1.9rem; min-height: 1.7rem; padding: 0 .45rem; border-radius: 4px;
  border: 1px solid var(--line); }
.tools button:hover:enabled { background: var(--soft); }
.tools button:disabled { color: var(--quiet); opacity: .6; cursor: default; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: .2rem 0 .3rem; padding: 0;
  list-style: none; font-size: .84rem; }
.legend svg { width: 1.5rem; height: .7rem; margin-right: .35rem; }
.ylabel { font-size: .82rem; color: var(--quiet); margin-bottom: .35rem; }
.xlabel { font-size: .82rem; color: var(--quiet); grid-column: 2; text-align: center; }
.frame { display: grid; grid-template-columns: minmax(0, var(--labels)) minmax(0, 1fr); }
.plot { position: relative; height: max(15rem, calc(var(--rows, 0) * 1.6rem));
  border-left: 1px solid var(--quiet);
  border-bottom: 1px solid var(--quiet); cursor: crosshair; touch-action: pan-y;
  user-select: none; }
.full .plot { height: max(18rem, calc(var(--rows, 0) * 1.6rem)); }
.square .plot { height: auto; aspect-ratio: 1; }
.plot > svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: hidden; }
.plot path, .legend path, .thumb path { fill: none; vector-effect: non-scaling-stroke;
  stroke: var(--tone); }
path.grid { stroke: var(--faint); stroke-width: 1; }
path.line { stroke-width: 1.6; stroke-linejoin: round; }
path.spans { stroke-width: 9; }
path.dashed { stroke-dasharray: 5 4; }
path.rule { stroke-width: 1.2; }
path.interval { stroke-width: 1.6; opacity: .75; }
path.dots { stroke-width: 8; stroke-linecap: round; opacity: .8; }
path.dots.many { stroke-width: 3.5; opacity: .75; }
path.square { stroke-linecap: square; }
path.bars { stroke-width: 26; opacity: .55; }
path.bars.narrow { stroke-width: 12; }
.t0 { --tone: var(--t0); } .t1 { --tone: var(--t1); } .t2 { --tone: var(--t2); }
.t3 { --tone: var(--t3); } .t4 { --tone: var(--t4); } .t5 { --tone: var(--t5); }
.t6 { --tone: var(--t6); } .t7 { --tone: var(--t7); }
.yticks, .xticks { position: relative; font-size: .78rem; color: var(--quiet); line-height: 1.15;
  font-variant-numeric: tabular-nums; }
.yticks span { position: absolute; right: .4rem; max-width: calc(100% - .4rem);
  transform: translateY(-50%); text-align: right; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
.xticks { grid-column: 2; height: calc(1.6em * var(--lines, 1)); }
.xticks span { position: absolute; top: .25rem; transform: translateX(-50%); text-align: center;
  white-space: nowrap; }
.xticks.names span { white-space: normal; width: var(--each); }
.tip { position: absolute; z-index: 3; padding: .3rem .55rem; border-radius: 5px; max-width: 18rem;
  width: max-content; background: var(--paper); border: 1px solid var(--line);
  box-shadow: 0 2px 8px rgb(0 0 0 / .18); font-size: .82rem; line-height: 1.35;
  pointer-events: none; }
.ring { position: absolute; z-index: 2; width: 14px; height: 14px; margin: -7px;
  border: 2px solid var(--ink); border-radius: 50%; pointer-events: none; }
.box { position: absolute; z-index: 2; background: rgb(var(--shade) / .15);
  border: 1px solid var(--link); pointer-events: none; }
[hidden] { display: none !important; }
.said { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap; }
details { margin-top: .4rem; font-size: .88rem; }
summary { color: var(--link); cursor: pointer; width: max-content; max-width: 100%; }
details .wide-table { max-height: 18rem; overflow: auto; }
.confusion table { width: 100%; table-layout: fixed; border-spacing: 3px; }
.confusion th, .confusion td { text-align: center; white-space: normal; position: static;
  max-width: none; }
.confusion th { background: none; font-weight: 400; color: var(--quiet); vertical-align: middle; }
.confusion td { border: 0; border-radius: 6px; padding: 1.1rem .3rem; font-size: 1.25rem;
  background: rgb(var(--shade) / var(--share)); }
.cards { display: grid; gap: 1rem; margin: 1.2rem 0; padding: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
.cards a { display: block; height: 100%; padding: .8rem; border: 1px solid var(--line);
  border-radius: 8px; color: inherit; text-decoration: none; }
.cards a:hover { border-color: var(--link); background: var(--soft); }
.cards b { display: block; color: var(--link); }
.cards span { font-size: .88rem; color: var(--quiet); }
.thumb { display: block; width: 100%; height: 5rem; margin-bottom: .5rem; }
.thumb path.dots { stroke-width: 2; }
.notes { margin-top: 1.2rem; padding-left: 1rem; border-left: 3px solid var(--line); }
.notes p { color: var(--quiet); font-size: .9rem; }
.notes { margin-top: 1.2rem; padding-left: 1rem; border-left: 3px solid var(--line); }
.notes p { color: var(--quiet); font-size: .9rem; }
.back { font-size: .9rem; }
@media (max-width: 480px) { main { padding: 1rem .9rem 3rem; } h1 { font-size: 1.5rem; }
  .full .plot, .plot { height: max(13rem, calc(var(--rows, 0) * 1.6rem)); }
  th, td { padding: .35rem .55rem; } }
@media print { nav, .tools, details, .back { display: none; } figure, tr { break-inside: avoid; } }
"""
