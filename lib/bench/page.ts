import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../native/package-root';
import { printable } from '../errors/printable';
import { spread, type Spread } from '../backup/spread';
import type { Timeline } from '../backup/timeline';
import type { BenchReport, BenchResult, ComparedWay } from './bench';
import { figureWords, fineMs, formatFigure, measuredFigures, meaningfulPercentiles } from './figures';
import { drawCalls, drawPhase, drawRuns, drawWindows, phaseTitles } from './page/charts';
import { markup, tableOf, Html } from './page/html';

/** How many of the slowest databases are listed. */
const listed = 25;

const percentileTitles = {
  min: 'shortest',
  median: 'median',
  p95: '95 % below',
  p99: '99 % below',
  max: 'longest',
} as const;

/**
 * One HTML file that contains everything and loads nothing, which its policy enforces. Figures, pictures and tables do not need
 * the page's script; that draws the timeline of every database and finds individual ones.
 */
export function benchPage({ report, typical }: BenchResult): string {
  const { timeline, paths } = typical;
  const part = (name: string): string => readFileSync(join(packageRoot, 'lib', 'bench', 'page', name), 'utf8');
  const [style, program] = [part('page.css'), part('timeline.js')];
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(program)}'`;
  const { conditions } = report;
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Freeze window of ${conditions.server || 'a Domino server'}, ${conditions.measuredAt.slice(0, 10)}</title>
        <style>${new Html(style)}</style>
      </head>
      <body>
        <main>
          ${header(report)} ${runsSection(report)} ${phasesSection(timeline)} ${timelineSection(timeline)}
          ${slowestSection(timeline, paths)} ${callsSection(timeline)} ${comparedSection(report)}
          ${figuresSection(report)} ${skippedSection(report)}
        </main>
        <script id="data" type="application/json">${dataOf(report, timeline, paths)}</script>
        <script type="module">${new Html(program)}</script>
      </body>
    </html> `.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Data for the script of the page. */
function dataOf(report: BenchReport, timeline: Timeline, paths: readonly string[]): Html {
  const { beginMs, windowMs, density } = timeline;
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs, shard } = timeline.databases;
  const phases = timeline.phases.flatMap((timing) => {
    const title = phaseTitles[timing.phase];
    const [from, to] = [timing.beginMs - beginMs, timing.endMs - beginMs];
    return title === undefined ? [] : [{ phase: timing.phase, title, from, to }];
  });
  const data = {
    report,
    paths: paths.map(printable),
    windowMs,
    density,
    phases,
    // Columns in base64, or the page for 100 000 databases would be four times as big. Times are relative to the beginning of the
    // window, so that 24 bits are exact to a microsecond within ten seconds.
    columns: {
      startCalled: column(startCalledMs, beginMs),
      startReturned: column(startReturnedMs, beginMs),
      stopCalled: column(stopCalledMs, beginMs),
      stopReturned: column(stopReturnedMs, beginMs),
      shard: column(shard, 0),
    },
  };
  // Names of databases may contain any text, even one that would end the element.
  return new Html(JSON.stringify(data).replaceAll('<', '\\u003c'));
}

function column(values: Float64Array | Uint16Array, zero: number): string {
  const bytes = new Uint8Array(Float32Array.from(values, (value) => value - zero).buffer);
  return Buffer.from(bytes).toString('base64');
}

function number(value: number): string {
  return value.toLocaleString('en');
}

function many(value: number, what: string): string {
  return `${number(value)} ${what}${value === 1 ? '' : 's'}`;
}

function header({ conditions, figures }: BenchReport): Html {
  const { measuredAt, server, computer, databases, shards, provider, runs, warmUps } = conditions;
  const ratio = figures['windowRatio'];
  const gap = figures['lastStartToShadowMs'];
  const median = (figure: Spread | undefined): string => (figure?.count ? fineMs(figure.median) : '–');
  const cards: [string, string][] = [
    [runs === 1 ? 'freeze window' : 'median freeze window', median(figures['windowMs'])],
    ...(ratio?.count ? [['times the ideal', ratio.median.toFixed(3)] satisfies [string, string]] : []),
    ['skew of the databases', median(figures['skewMs'])],
    ...(gap?.count ? [['from the last start to the shadow', fineMs(gap.median)] satisfies [string, string]] : []),
    ['longest event-loop delay', fineMs(figures['longestLoopDelayMs']?.max ?? 0)],
  ];
  return markup`<header>
    <h1>Freeze window</h1>
    <p class="lead">
      ${server || 'A Domino server without a name'} on ${computer},
      <time datetime="${measuredAt}">${measuredAt.slice(0, 16).replace('T', ' ')} UTC</time>
    </p>
    <p class="soft">
      ${many(databases, 'database')} on ${many(shards, 'thread')}, provider ${provider}, ${many(runs, 'run')} after
      ${many(warmUps, 'warm-up')}. domino-vss ${conditions.package}, Node.js ${conditions.node}, ${conditions.platform},
      ${many(conditions.processors, 'processor')} (${conditions.processor}).
    </p>
    <dl class="cards">
      ${cards.map(
        ([title, value]) =>
          markup`<div>
            <dt>${title}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </header>`;
}

function runsSection({ runs, figures }: BenchReport): Html {
  const ideal = figures['idealMs']?.count ? markup` <span class="key ideal">its ideal</span>` : '';
  return markup`<section aria-labelledby="runs-title">
    <h2 id="runs-title">The runs</h2>
    <p class="keys"><span class="key dot">freeze window of a run</span>${ideal}</p>
    ${drawRuns(runs)}
    <details>
      <summary>The runs as a table</summary>
      ${tableOf(
        'Each run',
        ['run', 'window', 'ideal', 'window ÷ ideal', 'skew'],
        runs.map(({ window }, index) => [
          String(index + 1),
          fineMs(window.windowMs),
          window.idealMs === null ? '–' : fineMs(window.idealMs),
          window.windowRatio === null ? '–' : window.windowRatio.toFixed(4),
          fineMs(window.skewMs),
        ]),
      )}
    </details>
  </section>`;
}

function phasesSection({ phases, beginMs, windowMs }: Timeline): Html {
  const shown = phases.filter(({ phase }) => phaseTitles[phase] !== undefined);
  if (shown.length === 0 || windowMs <= 0) return markup``;
  return markup`<section aria-labelledby="phases-title">
    <h2 id="phases-title">Where the time goes</h2>
    <p class="soft">The run with the median window: ${fineMs(windowMs)}.</p>
    <dl class="phases">
      ${shown.map(
        (timing) =>
          markup`<div>
            <dt>${phaseTitles[timing.phase] ?? ''}</dt>
            <dd>${drawPhase(timing, beginMs, windowMs)}<span>${fineMs(timing.endMs - timing.beginMs)}</span></dd>
          </div> `,
      )}
    </dl>
  </section>`;
}

/** Shown and drawn by the script. */
function timelineSection({ databases }: Timeline): Html {
  return markup`<section id="every" aria-labelledby="every-title" hidden>
    <h2 id="every-title">Every database</h2>
    <p class="keys">
      <span class="key start">NSFBackupStart</span> <span class="key mode">in backup mode</span>
      <span class="key stop">NSFBackupStop</span> <span class="key shadow">shadow</span>
    </p>
    <div class="controls">
      <label
        >Order
        <select id="order">
          <option value="start">by start</option>
          <option value="shard">by thread</option>
          <option value="window">by time in backup mode</option>
        </select></label
      >
      <span role="group" aria-label="Zoom time"
        ><button type="button" data-do="time-in">in</button
        ><button type="button" data-do="time-out">out</button></span
      >
      <span role="group" aria-label="Zoom databases"
        ><button type="button" data-do="rows-in">in</button
        ><button type="button" data-do="rows-out">out</button></span
      >
      <button type="button" data-do="all">show all</button>
    </div>
    <p id="chosen" role="status">Point at a database, or select one with the arrow keys.</p>
    <canvas
      id="timeline"
      tabindex="0"
      role="img"
      aria-label="Timeline of ${many(databases.shard.length, 'database')} in the freeze window; the next section lists them"
      aria-describedby="timeline-help"
    ></canvas>
    <p class="soft hint" id="timeline-help">
      Keys: up and down choose a database, Home and End the first and last, left and right move in time, + and − zoom, 0 shows
      all. Mouse: drag to move, Ctrl and the wheel zoom time, Ctrl, Shift and the wheel databases.
    </p>
  </section>`;
}

function slowestSection({ databases }: Timeline, paths: readonly string[]): Html {
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs } = databases;
  const took = (index: number): number => (stopReturnedMs[index] ?? NaN) - (startCalledMs[index] ?? NaN);
  const measured = paths.map((_path, index) => index).filter((index) => took(index) >= 0);
  const slowest = measured.sort((a, b) => took(b) - took(a)).slice(0, listed);
  return markup`<section aria-labelledby="list-title">
    <h2 id="list-title">Slowest databases</h2>
    <div class="controls" id="list-controls" hidden>
      <label>Find <input id="find" type="search" autocomplete="off" spellcheck="false" /></label>
      <label
        >Slowest in
        <select id="slowest">
          <option value="mode">backup mode</option>
          <option value="start">NSFBackupStart</option>
          <option value="stop">NSFBackupStop</option>
        </select></label
      >
    </div>
    <p class="soft" id="found" role="status">${number(slowest.length)} of ${many(measured.length, 'database')}</p>
    ${tableOf(
      'Databases by the time they spent in backup mode',
      ['database', 'in backup mode', 'start', 'stop'],
      slowest.map((index) => [
        paths[index] ?? '',
        fineMs(took(index)),
        fineMs((startReturnedMs[index] ?? NaN) - (startCalledMs[index] ?? NaN)),
        fineMs((stopReturnedMs[index] ?? NaN) - (stopCalledMs[index] ?? NaN)),
      ]),
      'list',
    )}
  </section>`;
}

function callsSection({ databases }: Timeline): Html {
  const { startCalledMs, startReturnedMs, stopCalledMs, stopReturnedMs } = databases;
  const durations = (from: Float64Array, to: Float64Array): number[] =>
    Array.from(to, (end, index) => end - (from[index] ?? NaN)).filter((duration) => duration >= 0);
  const calls: [string, number[]][] = [
    ['NSFBackupStart', durations(startCalledMs, startReturnedMs)],
    ['NSFBackupStop', durations(stopCalledMs, stopReturnedMs)],
  ];
  const spreads = calls.map(([name, values]) => [name, spread(values)] as const);
  const least = Math.max(1e-4, Math.min(...spreads.map(([, { min }]) => min)) * 0.9);
  const most = Math.max(least * 2, Math.max(...spreads.map(([, { max }]) => max)) * 1.1);
  const shown = meaningfulPercentiles(Math.min(...spreads.map(([, { count }]) => count)));
  return markup`<section aria-labelledby="calls-title">
    <h2 id="calls-title">Single calls</h2>
    <p class="soft">Distribution of call durations in the run with the median window, on a logarithmic axis.</p>
    <div class="pair">
      ${calls.map(
        ([name, values]) =>
          markup`<div>
            <h3>${name}</h3>
            ${drawCalls(name, values, least, most)}
          </div>`,
      )}
    </div>
    ${tableOf(
      'Durations of single calls',
      ['calls', 'one start', 'one stop'],
      shown.map((each) => [percentileTitles[each], ...spreads.map(([, figure]) => fineMs(figure[each]))]),
    )}
  </section>`;
}

function comparedSection({ compared, conditions, figures, runs }: BenchReport): Html {
  const ours = figures['windowMs'];
  if (compared.length === 0 || ours === undefined) return markup``;
  const windowsMs = runs.map(({ window }) => window.windowMs);
  const way = `domino-vss${conditions.stopAt === 'thaw' ? ', stopped at Thaw' : ''}`;
  const ways: readonly ComparedWay[] = [{ way, windowMs: ours, windowsMs, timesLonger: 1 }, ...compared];
  const most = Math.max(...ways.map(({ windowMs }) => windowMs.max));
  return markup`<section aria-labelledby="compared-title">
    <h2 id="compared-title">The same backup in other ways</h2>
    <p class="keys"><span class="key mode">median freeze window</span> <span class="key dot">of a run</span></p>
    <dl class="phases">
      ${ways.map(
        ({ way: name, windowMs: { median }, windowsMs: all }) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${drawWindows(all, median, most)}<span>${fineMs(median)}</span></dd>
          </div> `,
      )}
    </dl>
    ${tableOf(
      'Freeze windows, each way in turn with the others',
      ['way', 'median', 'longest', 'times ours'],
      ways.map(({ way: name, windowMs: { median, max }, timesLonger }) => [
        name,
        fineMs(median),
        fineMs(max),
        `${timesLonger.toFixed(2)} ×`,
      ]),
    )}
  </section>`;
}

function figuresSection({ figures, runs }: BenchReport): Html {
  const shown = meaningfulPercentiles(runs.length);
  return markup`<section aria-labelledby="figures-title">
    <h2 id="figures-title">All figures</h2>
    ${tableOf(
      `Over ${many(runs.length, 'run')}`,
      ['figure', ...shown.map((each) => (each === 'min' ? 'least' : each === 'max' ? 'most' : percentileTitles[each]))],
      measuredFigures(figures).map(([name, figure]) => {
        const { title, meaning } = figureWords(name);
        const cells = shown.map((each) => formatFigure(name, figure[each]));
        return [markup`${title}<small>${meaning}</small>`, ...cells];
      }),
    )}
  </section>`;
}

function skippedSection({ skipped }: BenchReport): Html {
  if (skipped.length === 0) return markup``;
  return markup`<section aria-labelledby="skipped-title">
    <h2 id="skipped-title">Left out</h2>
    ${tableOf(
      `${many(skipped.length, 'database')} of the last run`,
      ['database', 'why'],
      skipped.map(({ database, operation, code, statusName, text }) => [
        database,
        [operation, statusName || code, text].filter(Boolean).join(': '),
      ]),
      'left-out',
    )}
  </section>`;
}
