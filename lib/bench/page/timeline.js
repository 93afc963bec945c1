// The program of the page: it draws the timeline of every database, and finds databases in the list of the slowest.
// Everything else on the page is there without it.

const at = (id) => document.getElementById(id);
const data = JSON.parse(at('data').textContent);
const { paths, phases, windowMs, density } = data;
const column = (name) => {
  const bytes = Uint8Array.from(atob(data.columns[name]), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
};
const started = column('startCalled');
const startedEnd = column('startReturned');
const stopped = column('stopCalled');
const stoppedEnd = column('stopReturned');
const shard = column('shard');

const durations = {
  mode: (index) => stoppedEnd[index] - started[index],
  start: (index) => startedEnd[index] - started[index],
  stop: (index) => stoppedEnd[index] - stopped[index],
};
const measured = paths.map((_path, index) => index).filter((index) => durations.mode(index) >= 0);

/** As the figures of the page are written: lib/bench/figures.ts. */
function ms(value) {
  if (value === 0) return '0';
  if (value < 1) return `${(value * 1000).toFixed(1)} µs`;
  return value < 1000 ? `${value.toFixed(value < 100 ? 2 : 1)} ms` : `${(value / 1000).toFixed(3)} s`;
}

/** A round time, as short as it can be written. */
function tickMs(value) {
  const size = Math.abs(value);
  const [scaled, unit] = size >= 1000 ? [size / 1000, 's'] : size >= 1 ? [size, 'ms'] : [size * 1000, 'µs'];
  return size === 0 ? '0' : `${value < 0 ? '−' : ''}${Number(scaled.toPrecision(6))} ${unit}`;
}

const number = (value) => value.toLocaleString('en');

// The timeline

const canvas = at('timeline');
const orders = {
  start: (a, b) => started[a] - started[b],
  shard: (a, b) => shard[a] - shard[b] || started[a] - started[b],
  window: (a, b) => durations.mode(b) - durations.mode(a),
};
let rows = [...measured].sort(orders.start);
/** What is visible: times after the beginning of the window, and rows. */
let view = whole();
/** Row that was chosen with the keys. */
let chosen = -1;
/** Of the last drawing, in CSS pixels. */
let frame = { left: 0, top: 22, width: 0, height: 0 };

function whole() {
  return { from: -0.01 * windowMs, to: 1.01 * windowMs, first: 0, last: Math.max(1, rows.length) };
}

/** Round numbers for an axis. */
function ticks(from, to, count) {
  const raw = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const first = Math.ceil(from / step);
  return Array.from(
    { length: Math.max(0, Math.floor(to / step) - first + 1) },
    (_tick, index) => (first + index) * step,
  );
}

const x = (time) => frame.left + ((time - view.from) / (view.to - view.from)) * frame.width;
const y = (row) => frame.top + ((row - view.first) / (view.last - view.first)) * frame.height;

function draw() {
  const [width, height, scale] = [canvas.clientWidth, canvas.clientHeight, window.devicePixelRatio || 1];
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  context.scale(scale, scale);
  context.font = '12px system-ui, sans-serif';
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  const left = context.measureText(number(rows.length)).width + 10;
  frame = { left, top: 22, width: width - left, height: height - 22 - 82 };

  context.save();
  context.beginPath();
  context.rect(left, 0, frame.width, height);
  context.clip();
  drawRows(context, color);
  drawPhases(context, color);
  drawDensity(context, color, height);
  context.restore();
  drawAxes(context, color, height);
}

function drawRows(context, color) {
  const rowHeight = frame.height / (view.last - view.first);
  const high = Math.max(0.8, rowHeight > 4 ? rowHeight - 1 : rowHeight);
  const last = Math.min(rows.length, Math.ceil(view.last));
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, frame.width, frame.height);
  context.clip();
  for (const [name, from, to, least] of [
    ['mode', startedEnd, stopped, 0],
    ['start', started, startedEnd, 1],
    ['stop', stopped, stoppedEnd, 1],
  ]) {
    context.fillStyle = color(name);
    for (let row = Math.max(0, Math.floor(view.first)); row < last; ++row) {
      const begin = x(from[rows[row]]);
      context.fillRect(begin, y(row), Math.max(least, x(to[rows[row]]) - begin), high);
    }
  }
  if (chosen >= 0) {
    context.strokeStyle = color('ink');
    context.lineWidth = 2;
    context.strokeRect(frame.left + 1, y(chosen) - 1, frame.width - 2, Math.max(2, high) + 2);
  }
  context.restore();
}

function drawPhases(context, color) {
  for (const { phase, title, from, to } of phases) {
    const [begin, end] = [Math.max(frame.left, x(from)), Math.min(frame.left + frame.width, x(to))];
    if (end <= frame.left) continue;
    context.fillStyle = color(phase);
    context.fillRect(begin, 0, Math.max(1, end - begin - 1), 17);
    // What does not fit is in the legend, and as a figure further up.
    if (end - begin > context.measureText(title).width + 10) {
      context.fillStyle = color('ground');
      context.fillText(title, begin + 5, 13);
    }
    if (phase !== 'shadow') continue;
    context.globalAlpha = 0.16;
    context.fillStyle = color('shadow');
    context.fillRect(begin, frame.top, Math.max(1, end - begin), frame.height);
    context.globalAlpha = 1;
  }
}

/** How many are in backup mode, below the databases and on the same time axis. */
function drawDensity(context, color, height) {
  const most = Math.max(1, ...density);
  const slice = windowMs / density.length;
  context.fillStyle = color('mode');
  density.forEach((count, index) => {
    const high = (count / most) * 34;
    context.fillRect(x(index * slice), height - 22 - high, x(slice) - x(0) + 0.5, high);
  });
  context.fillStyle = color('soft');
  context.fillText(`in backup mode at once: at most ${number(most)}`, frame.left, height - 62);
}

function drawAxes(context, color, height) {
  context.fillStyle = color('soft');
  const right = frame.left + frame.width;
  let free = frame.left - 8;
  for (const time of ticks(view.from, view.to, Math.max(2, frame.width / 90))) {
    const text = tickMs(time);
    const wide = context.measureText(text).width;
    const begin = Math.min(right - wide, Math.max(frame.left, x(time) - wide / 2));
    context.fillRect(Math.min(right - 1, x(time)), height - 22, 1, 5);
    if (begin < free + 8) continue;
    context.fillText(text, begin, height - 5);
    free = begin + wide;
  }
  context.textAlign = 'right';
  for (const row of ticks(view.first, view.last, 8)) {
    // Rows are counted from 1.
    const named = number(view.last - view.first <= 16 || row === 0 ? row + 1 : row);
    if (Number.isInteger(row) && row < view.last) context.fillText(named, frame.left - 6, y(row) + 11);
  }
  context.textAlign = 'left';
}

let waiting = false;
function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    draw();
  });
}

function describe(row) {
  const index = rows[row];
  if (index === undefined) return;
  at('chosen').textContent =
    `${paths[index]}: ${ms(durations.mode(index))} in backup mode. NSFBackupStart at ${ms(started[index])} took ` +
    `${ms(durations.start(index))}, NSFBackupStop at ${ms(stopped[index])} took ${ms(durations.stop(index))}; ` +
    `thread ${shard[index] + 1}, row ${number(row + 1)} of ${number(rows.length)}.`;
}

/** Part of an axis around a place, that much of what it was, and never outside of its bounds. */
function zoomed(from, to, around, factor, least, most, shortest) {
  const length = Math.min(most - least, Math.max(shortest, (to - from) * factor));
  const begin = around - ((around - from) / (to - from)) * length;
  const inside = Math.min(most - length, Math.max(least, begin));
  return [inside, inside + length];
}

function zoomTime(factor, around = (view.from + view.to) / 2) {
  const all = whole();
  [view.from, view.to] = zoomed(view.from, view.to, around, factor, all.from, all.to, windowMs * 1e-5);
  redraw();
}

function zoomRows(factor, around = chosen >= 0 ? chosen + 0.5 : (view.first + view.last) / 2) {
  [view.first, view.last] = zoomed(view.first, view.last, around, factor, 0, Math.max(1, rows.length), 1);
  redraw();
}

function move(time, rowCount) {
  const all = whole();
  const byTime = Math.min(all.to - view.to, Math.max(all.from - view.from, time));
  const byRows = Math.min(all.last - view.last, Math.max(-view.first, rowCount));
  view = {
    from: view.from + byTime,
    to: view.to + byTime,
    first: view.first + byRows,
    last: view.last + byRows,
  };
  redraw();
}

function choose(row) {
  chosen = Math.min(rows.length - 1, Math.max(0, row));
  // Into sight.
  if (chosen < view.first) move(0, chosen - view.first);
  else if (chosen + 1 > view.last) move(0, chosen + 1 - view.last);
  describe(chosen);
  redraw();
}

function showAll() {
  view = whole();
  redraw();
}

const actions = {
  'time-in': () => zoomTime(0.5),
  'time-out': () => zoomTime(2),
  'rows-in': () => zoomRows(0.5),
  'rows-out': () => zoomRows(2),
  all: showAll,
};
for (const button of document.querySelectorAll('[data-do]')) {
  button.addEventListener('click', () => actions[button.dataset.do]());
}

const page = () => Math.max(1, Math.round((view.last - view.first) / 10));
const keys = {
  ArrowUp: () => choose(chosen - 1),
  ArrowDown: () => choose(chosen + 1),
  PageUp: () => choose(chosen - page()),
  PageDown: () => choose(chosen + page()),
  Home: () => choose(0),
  End: () => choose(rows.length - 1),
  ArrowLeft: () => move((view.from - view.to) / 10, 0),
  ArrowRight: () => move((view.to - view.from) / 10, 0),
  '+': actions['time-in'],
  '=': actions['time-in'],
  '-': actions['time-out'],
  0: showAll,
};
canvas.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

function placeOf(event) {
  const box = canvas.getBoundingClientRect();
  return {
    time: view.from + ((event.clientX - box.left - frame.left) / frame.width) * (view.to - view.from),
    row: view.first + ((event.clientY - box.top - frame.top) / frame.height) * (view.last - view.first),
  };
}

let dragged;
canvas.addEventListener('pointerdown', (event) => {
  dragged = placeOf(event);
  canvas.setPointerCapture(event.pointerId);
});
for (const end of ['pointerup', 'pointercancel']) canvas.addEventListener(end, () => (dragged = undefined));
canvas.addEventListener('pointermove', (event) => {
  const { time, row } = placeOf(event);
  if (dragged) move(dragged.time - time, dragged.row - row);
  else if (row >= view.first && row < view.last) describe(Math.floor(row));
});
// Without a key the wheel moves the page, as everywhere.
canvas.addEventListener(
  'wheel',
  (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const factor = Math.exp((event.deltaY || event.deltaX) * 0.0015);
    const { time, row } = placeOf(event);
    if (event.shiftKey) zoomRows(factor, row);
    else zoomTime(factor, time);
  },
  { passive: false },
);
at('order').addEventListener('change', (event) => {
  rows = [...measured].sort(orders[event.target.value]);
  chosen = -1;
  showAll();
});

// The list

const list = at('list').tBodies[0];
const shown = list.rows.length;

function cell(name, text) {
  return Object.assign(document.createElement(name), { textContent: text });
}

function fillList() {
  const wanted = at('find').value.toLowerCase();
  const duration = durations[at('slowest').value];
  const found = wanted === '' ? measured : measured.filter((index) => paths[index].toLowerCase().includes(wanted));
  const first = [...found].sort((a, b) => duration(b) - duration(a)).slice(0, shown);
  const lines = first.map((index) => {
    const line = document.createElement('tr');
    const head = Object.assign(cell('th', paths[index]), { scope: 'row' });
    line.append(head, ...['mode', 'start', 'stop'].map((name) => cell('td', ms(durations[name](index)))));
    return line;
  });
  list.replaceChildren(...lines);
  const all = `${number(measured.length)} ${measured.length === 1 ? 'database' : 'databases'}`;
  at('found').textContent =
    wanted === ''
      ? `${number(lines.length)} of ${all}`
      : `${number(lines.length)} of ${number(found.length)} found in ${all}`;
}

at('find').addEventListener('input', fillList);
at('slowest').addEventListener('change', fillList);
at('list-controls').hidden = false;

// Paper: in light colours, with everything unfolded.

let folded = [];
window.addEventListener('beforeprint', () => {
  document.documentElement.classList.add('printing');
  folded = [...document.querySelectorAll('details:not([open])')];
  for (const each of folded) each.open = true;
  draw();
});
window.addEventListener('afterprint', () => {
  document.documentElement.classList.remove('printing');
  for (const each of folded) each.open = false;
  draw();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

if (measured.length > 0 && windowMs > 0) {
  at('every').hidden = false;
  new ResizeObserver(redraw).observe(canvas);
  draw();
}
