/** What the page loads besides itself. */

export const STYLE = `:root {
  color-scheme: light dark;
  --ground: #fff;
  --text: #1c2128;
  --quiet: #545d68;
  --line: #d4d9df;
  --head: #f3f5f7;
  --good: #116329;
  --warn: #7d4e00;
  --bad: #b3121d;
  --good-ground: #e3f5e7;
  --warn-ground: #fdf1d6;
  --bad-ground: #fde8e8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181d;
    --text: #e3e8ee;
    --quiet: #a5afba;
    --line: #363e48;
    --head: #1e242b;
    --good: #7ee099;
    --warn: #f0c069;
    --bad: #ff9c96;
    --good-ground: #14301c;
    --warn-ground: #372a0e;
    --bad-ground: #421a1c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto;
  padding: 0 1rem 2rem;
  max-width: 90rem;
  background: var(--ground);
  color: var(--text);
  font: 0.9375rem/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
header { padding: 0.75rem 0; border-bottom: 1px solid var(--line); }
h1 { margin: 0; font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { margin: 1.4rem 0 0.3rem; font-size: 1.05rem; }
p { margin: 0.3rem 0; }
#live, .small, caption, .note { color: var(--quiet); }
#live, .small, caption, .note, .notes { font-size: 0.8125rem; }
.notes { margin: 0.4rem 0; padding-left: 1.2rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible { outline: 2px solid var(--quiet); outline-offset: 2px; }
table { border-collapse: collapse; min-width: 100%; }
caption { text-align: left; padding: 0.1rem 0 0.3rem; }
th, td {
  padding: 0.3rem 0.6rem;
  border-bottom: 1px solid var(--line);
  text-align: left;
  vertical-align: top;
}
thead th { background: var(--head); white-space: nowrap; }
td { overflow-wrap: break-word; max-width: 32rem; }
tbody th { font-weight: 600; max-width: 24rem; overflow-wrap: anywhere; }
.servers td { white-space: nowrap; }
.servers thead th[scope="colgroup"] { border-left: 1px solid var(--line); }
.backend th { padding-top: 0.7rem; color: var(--quiet); }
.number { padding-right: 1.1rem; text-align: right; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.good, .warn, .bad { padding: 0 0.35em; border-radius: 0.25em; white-space: nowrap; }
.good { color: var(--good); background: var(--good-ground); }
.warn { color: var(--warn); background: var(--warn-ground); }
.bad { color: var(--bad); background: var(--bad-ground); font-weight: 600; }
.lost #live { color: var(--bad); font-weight: 600; }
@media (max-width: 40rem) {
  body { padding: 0 0.6rem 1.5rem; }
  th, td { padding: 0.25rem 0.4rem; }
  .servers tbody th[scope="row"], .servers thead th[rowspan] { position: sticky; left: 0; background: var(--ground); }
}
@media print { .scroll { overflow: visible; } }
`;

/** Puts in what has changed; where that ends it says so, and tries again. What it puts in is escaped where it is made. */
export const SCRIPT = `'use strict';
(() => {
  const live = document.getElementById('live');
  const say = (text) => { if (live.textContent !== text) live.textContent = text; };
  let stream = null;
  const begin = () => {
    stream = new EventSource('events');
    stream.onmessage = ({ data }) => {
      const parts = JSON.parse(data);
      for (const [id, text] of Object.entries(parts)) {
        if (id === 'title') document.title = text;
        else document.getElementById(id).innerHTML = text;
      }
      document.documentElement.classList.remove('lost');
      say('Live: changes show by themselves.');
    };
    stream.onerror = () => {
      document.documentElement.classList.add('lost');
      say('No connection to the agent: this is what was before. It is tried again.');
      if (stream.readyState === EventSource.CLOSED) setTimeout(begin, 10000);
    };
  };
  begin();
})();
`;
