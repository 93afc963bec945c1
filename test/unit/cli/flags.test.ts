// Users of the command line know its flags, not the options of the API: no explanation and no advice that it shows names one.

import { flags, inFlags, optionMessage } from '#lib/cli/flags';
import { wholeGrammar } from '#lib/cli/pages/pages';
import { errorCodes } from '#lib/errors/codes';
import { adviceOnService } from '#lib/errors/service-advice';
import { adviceOnStatus } from '#lib/errors/status-advice';
import { adviceOnSystemError } from '#lib/errors/system-advice';
import { adviceOnHresult } from '#lib/errors/vss-advice';
import { runOnWindows } from '#lib/errors/windows-only';
import { FakeDomino } from '../fake-binding';
import { location, run } from './run';

const { grammar } = wholeGrammar();
const known = new Set(
  [...grammar.options, ...grammar.commands.flatMap(({ options }) => options)].flatMap(({ names }) => names),
);

/** The flag that an option of the API has by its own name: `windowTimeoutMs` is `--window-timeout`. */
function flagOf(name: string): string {
  return `--${name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

const hresults = Array.from({ length: 0x100 }, (_, low) => [0x80042300 + low, 0x80070000 + low]).flat();
const texts = [
  ...Object.values(errorCodes).flatMap(({ meaning, action }) => [meaning, action]),
  ...Array.from({ length: 0x4000 }, (_, status) => adviceOnStatus(status)?.action),
  ...Array.from({ length: 0x800 }, (_, code) => adviceOnService(code)),
  ...hresults.map((hresult) => adviceOnHresult(hresult)?.hint),
  ...['EIO', 'EMFILE', 'EROFS', 'EDQUOT', 'ENFILE', 'ESTALE'].map((name) => adviceOnSystemError(name)?.hint),
].filter((text) => text !== undefined);

test('no explanation and no advice names an option of the API that has a flag', () => {
  expect(texts.length).toBeGreaterThan(200);
  const left = texts
    .map(inFlags)
    .flatMap((text) =>
      Array.from(text.matchAll(/[a-z]+(?:[A-Z][a-z]+|\.[a-z]+[A-Z]\w+)+/g), ([name]) => name).filter(
        (name) => name in flags || known.has(flagOf(name.replace(/^.*\./, ''))),
      ),
    );
  expect(left).toEqual([]);
});

test('each flag of the table exists', () => {
  const missing = Object.values(flags).filter((flag) => flag.startsWith('--') && !known.has(flag));
  expect(missing).toEqual([]);
});

test.each([
  ['Raise timeoutMs, or use more shards.', 'Raise --timeout, or use more shards.'],
  ['than `maxSkipped` allows', 'than --max-skipped allows'],
  ['Name it (option domino.notesIni or --ini); the', 'Name it (option --ini); the'],
  ['(option domino.notesIni, --ini, or NOTES_INI)', '(option --ini, or NOTES_INI)'],
  ['with shadowDirectory (--shadow-dir), on', 'with --shadow-dir, on'],
  ['a longer hold (maxHoldMs, --max-hold) or', 'a longer hold (--max-hold) or'],
  ['--vss-provider, --vss-provider-else', '--vss-provider, --vss-provider-else'],
  ['/data/timeoutMs/shadowDirectory.nsf id, unit', '/data/timeoutMs/shadowDirectory.nsf id, unit'],
])('%j becomes %j', (text, expected) => {
  expect(inFlags(text)).toBe(expected);
});

describe('where there is no VSS', () => {
  let domino: FakeDomino;

  beforeEach(() => {
    domino = new FakeDomino();
    Object.assign(domino.binding, { vss: undefined, services: undefined });
  });

  afterEach(() => {
    domino.destroy();
  });

  test.each([
    [['shadow', 'list'], runOnWindows],
    [['writer', 'list'], runOnWindows],
    [['provider', 'list'], runOnWindows],
    [['writer', 'uninstall', ...location], runOnWindows],
    [['writer', 'serve', '--delta-dir', 'delta', ...location], `${runOnWindows} Here "domino-vss hold"`],
    [
      ['backup', 'run', '--provider', 'vss', '--to', 'copies', '--delta-dir', 'delta', ...location],
      `${runOnWindows} Here, choose another provider.`,
    ],
  ])('%j says where to run it', async (args, advice) => {
    const { exitCode, stderr } = await run(domino, args);
    expect(stderr).toContain('failed ERR_UNSUPPORTED');
    expect(stderr).toContain(`what to do: ${advice}`);
    expect(exitCode).toBe(4);
  });
});

test.each([
  ['windowTimeoutMs', 'windowTimeoutMs must be above 0', '--window-timeout must be above 0'],
  ['include[2]', 'include[2] must be a glob', '--include must be a glob'],
  ['domino', 'no server is named', 'no server is named'],
])('an error about the option %s', (option, message, expected) => {
  expect(optionMessage({ option, message })).toBe(expected);
});
