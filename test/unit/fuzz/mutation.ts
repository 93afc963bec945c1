/** Texts that parsers have stumbled over before, or that mean something to one of them. */
const awkward: readonly string[] = [
  ...['\ufeff', '\r\n', '\r', '\n\n', '\0', '\u001a', '\u001b[2J', '\u0085', '\u2028', '\u2029', '\u202e', '\ufffd'],
  ...['"__proto__":{"x":1},', '__proto__', 'constructor', '{"__proto__":null}', 'null', 'true', '[]', '{}', '""', ','],
  ...['-1', '0', '1e999', '-0', '0x10', '9007199254740993', '9'.repeat(400), '1e-7', 'NaN', 'Infinity', '٣'],
  ...[
    '..',
    '/',
    '\\',
    '../../etc/passwd',
    '/dev/zero',
    'C:\\',
    'con',
    '%',
    '%x%',
    '#',
    ';',
    '=',
    '\t',
    '*',
    '**/',
    '[',
    '(',
  ],
];
const awkwardBytes: readonly Buffer[] = [
  ...awkward.map((text) => Buffer.from(text)),
  // Broken UTF-8: a lone continuation, an overlong slash, half a character, a surrogate, and marks of UTF-16.
  ...['80', 'c0af', 'e282', 'eda080', 'fffe', 'feff', 'f4908080'].map((hex) => Buffer.from(hex, 'hex')),
];
/** Values that take the place of one in JSON. */
const awkwardValues: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 1e300, 2 ** 53, '', 'x', '\0', '\u2028', '../x', '__proto__', [], {}, [null], ['', 1]],
  JSON.parse('{"__proto__":{"polluted":1}}'),
];
const longest = 40_000;

type Random = () => number;

const below = (limit: number, random: Random): number => Math.floor(random() * limit);
const one = <T>(choices: readonly T[], random: Random): T => choices[below(choices.length, random)] as T;

/** An input that differs from one of the seeds in a few places, or is none of them at all. */
export function mutated(seeds: readonly Buffer[], random: Random): Buffer {
  if (random() < 0.05) return noise(300, random);
  let bytes = one(seeds, random);
  for (let left = 1 + below(4, random); left > 0; left -= 1) {
    const change = random() < 0.4 ? changeJson : one(changes, random);
    bytes = change(bytes, seeds, random);
  }
  return bytes.subarray(0, longest);
}

type Change = (bytes: Buffer, seeds: readonly Buffer[], random: Random) => Buffer;

const changes: readonly Change[] = [
  (bytes, _seeds, random) => {
    const copy = Buffer.from(bytes);
    const at = below(copy.length, random);
    if (copy.length > 0) copy[at] = (copy[at] ?? 0) ^ (1 << below(8, random));
    return copy;
  },
  (bytes, _seeds, random) => bytes.subarray(0, below(bytes.length + 1, random)),
  (bytes, seeds, random) => {
    const other = one(seeds, random);
    return Buffer.concat([
      bytes.subarray(0, below(bytes.length + 1, random)),
      other.subarray(below(other.length + 1, random)),
    ]);
  },
  // Part of it again, sometimes very often.
  (bytes, _seeds, random) => {
    const from = below(bytes.length + 1, random);
    const part = bytes.subarray(from, from + 1 + below(random() < 0.5 ? 4 : 200, random));
    const times = random() < 0.1 ? Math.floor(longest / (part.length + 1)) : 1 + below(3, random);
    return put(bytes, from, 0, Buffer.concat(Array.from({ length: times }, () => part)));
  },
  (bytes, _seeds, random) => put(bytes, below(bytes.length + 1, random), below(8, random), one(awkwardBytes, random)),
  (bytes, _seeds, random) => put(bytes, below(bytes.length + 1, random), below(8, random), noise(8, random)),
  (bytes, _seeds, random) => put(bytes, below(bytes.length + 1, random), below(40, random), Buffer.alloc(0)),
  // Nested deeper than a recursion reaches.
  (bytes, _seeds, random) => {
    const depth = random() < 0.5 ? 12_000 : 100;
    const [open, close] = one(
      [
        ['[', ']'],
        ['{"a":', '}'],
        ['(', ')'],
        ['<a>', '</a>'],
      ] as const,
      random,
    );
    const nested = Buffer.from(`${open.repeat(depth)}1${close.repeat(depth)}`);
    const colon = bytes.indexOf(':', below(bytes.length + 1, random));
    if (colon < 0) return put(bytes, below(bytes.length + 1, random), 0, nested);
    const comma = bytes.indexOf(',', colon);
    return put(bytes, colon + 1, comma < 0 ? 0 : comma - colon - 1, nested);
  },
  (bytes) => Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1'),
];

function put(bytes: Buffer, at: number, removed: number, what: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at + removed)]);
}

function noise(most: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length: below(most, random) }, () => below(256, random)));
}

/** Replaces, removes or doubles one value anywhere in a JSON text. Leaves other texts as they are. */
const changeJson: Change = (bytes, _seeds, random) => {
  let root: unknown;
  try {
    root = { root: JSON.parse(bytes.toString()) as unknown };
  } catch {
    return bytes;
  }
  let at = root as Record<string, unknown>;
  for (;;) {
    const names = Object.keys(at);
    const name = one(names, random);
    const value = at[name];
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && random() < 0.8) {
      at = value as Record<string, unknown>;
      continue;
    }
    const choice = below(4, random);
    if (choice === 0 && Array.isArray(at)) at.push(value);
    else if (choice === 1 && at !== root) Reflect.deleteProperty(at, name);
    else if (choice === 2) add(at, one(['extra', 'constructor', 'toString', '__proto__'], random), random);
    else
      at[name] = typeof value === 'string' && random() < 0.5 ? changedText(value, random) : one(awkwardValues, random);
    break;
  }
  try {
    // The pretty form is that of several files, whose readers compare the whole text.
    return Buffer.from(JSON.stringify((root as { readonly root: unknown }).root, null, one([0, 1, 2], random)));
  } catch {
    return bytes; // nested too deep to be written
  }
};

/** As JSON.parse does it: an assignment would change the prototype instead. */
function add(to: object, name: string, random: Random): void {
  const value = one(awkwardValues, random);
  Object.defineProperty(to, name, { value, enumerable: true, configurable: true, writable: true });
}

function changedText(text: string, random: Random): string {
  const at = below(text.length + 1, random);
  return text.slice(0, at) + one(awkward, random) + text.slice(at + below(4, random));
}
