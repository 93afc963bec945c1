// What an administrator writes: the configuration file, variables of the environment, notes.ini, links, words on a command line.

import assert from 'node:assert';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { duration, milliseconds, wholeNumber } from '#lib/cli/arguments';
import type { CommandLineContext } from '#lib/cli/context';
import { metricsText } from '#lib/cli/metrics';
import { createProgram } from '#lib/cli/program';
import { applySettings, settingsInForce } from '#lib/cli/settings';
import { checkBackupMemory, checkMaintenance, checkServerTasks, checkTimeLimit } from '#lib/doctor/server-settings';
import { daosDirectory, NotesIni, transactionLogDirectory } from '#lib/domino/environment';
import { matcher } from '#lib/domino/globs';
import { locateDatabase } from '#lib/domino/links';
import { dateToTimedate, timedateToDate, unidBytes, unidText } from '#lib/domino/timedate';
import { pointInTimeOf, until } from '#lib/restore/until';
import { exposureName, exposurePlace, guid, isGuid, normalGuid, volumeName, volumePath } from '#lib/vss/windows-names';
import { quoted } from '#lib/writer/service';
import { manifestHead } from '../samples';
import type { FuzzedParser } from './fuzzing';
import { refusalOf, textOf } from './promises';

/** The files are written below `home`, which only its owner can change. */
export function settings(home: string): readonly FuzzedParser[] {
  mkdirSync(home);
  return [configuration(home), environment, notesIni(home), links(home), metrics, words];
}

function contextOf(env: CommandLineContext['env']): CommandLineContext {
  const sink = { write: () => undefined };
  return {
    loadBinding: () => assert.fail('nothing is loaded'),
    stdout: sink,
    stderr: sink,
    env,
    workingDirectory: '/',
    signal: new AbortController().signal,
    relaunch: () => Promise.resolve(undefined),
  };
}

/** Applies the settings to some commands, and checks that each option then has a value that its command can use. */
async function applied(env: CommandLineContext['env'], options: readonly string[]): Promise<string> {
  const context = contextOf(env);
  const program = createProgram(context, () => undefined);
  program.parseOptions([...options]);
  const inForce = await refusalOf(settingsInForce(program, context), 'ERR_OPTION', (found) => `${found.length} found`);
  const outcomes = [inForce];
  for (const [group, name] of [['backup', 'run'], ['backup', 'prune'], ['restore'], ['doctor']] as const) {
    const action = [group, name].reduce<Command | undefined>(
      (at, word) => (word === undefined ? at : at?.commands.find((each) => each.name() === word)),
      program,
    );
    assert(action);
    const outcome = await refusalOf(applySettings(action, context), 'ERR_OPTION', (found) => `${found.length} applied`);
    outcomes.push(outcome);
    for (const option of action.options) {
      const value: unknown = action.getOptionValue(option.attributeName());
      if (action.getOptionValueSource(option.attributeName()) !== 'config') continue;
      assert(value !== undefined, `${option.flags} has no value`);
      if (!option.required && !option.optional) assert.equal(typeof value, 'boolean');
      else if (Array.isArray(value)) assert(value.every((each) => typeof each === 'string'));
      else assert(typeof value === 'string' || Number.isSafeInteger(value), option.flags);
    }
  }
  return outcomes.join('; ');
}

function configuration(home: string): FuzzedParser {
  const file = join(home, 'config.json');
  return {
    name: 'configuration',
    read: (input) => {
      writeFileSync(file, input, { mode: 0o600 });
      return applied({}, ['--config', file]);
    },
  };
}

/** A variable on each line; U+2424 stands for a line feed. */
const environment: FuzzedParser = {
  name: 'environment',
  read: (input) => {
    const pairs = textOf(input)
      .split('\n')
      .map((line): [string, string] => [
        line.slice(0, line.indexOf('=')).trim(),
        line.slice(line.indexOf('=') + 1).replaceAll('\u2424', '\n'),
      ]);
    return applied(Object.fromEntries(pairs), ['--no-config']);
  },
};

function notesIni(home: string): FuzzedParser {
  const file = join(home, 'notes.ini');
  return {
    name: 'notes-ini',
    read: (input) => {
      writeFileSync(file, Buffer.concat([input, Buffer.from('\nDomino_Vss_Test=1 2\r\n')]));
      const ini = new NotesIni(file);
      assert.equal(ini.get('DOMINO_VSS_TEST'), '1 2');
      const findings = [checkServerTasks, checkMaintenance, checkTimeLimit, checkBackupMemory].map((check) =>
        check(ini),
      );
      for (const { found } of findings) assert(!/^(Infinity|NaN|undefined)/.test(found), found);
      transactionLogDirectory(ini, '/data');
      daosDirectory(ini, '/data');
      const codes = findings.map(({ status, code }) => `${status} ${code}`).join('; ');
      return refusalOf(
        // A getter that may throw.
        Promise.resolve().then(() => ini.dataDirectory),
        'ERR_DOMINO_NOTES_INI',
        (directory) => {
          assert(directory !== '' && (directory.length === 1 || !/[\\/]$/.test(directory)), directory);
          return codes;
        },
      );
    },
  };
}

/** The first line of an input is a path as in a manifest; the rest is what a link on its way contains. */
function links(home: string): FuzzedParser {
  const data = join(realpathSync(home), 'data');
  mkdirSync(join(data, 'mail'), { recursive: true });
  return {
    name: 'links',
    read: async (input) => {
      const end = input.indexOf('\n');
      writeFileSync(join(data, 'linked.dir'), input.subarray(end + 1));
      writeFileSync(join(data, 'mail', 'linked.nsf'), input.subarray(end + 1));
      const path = input.subarray(0, Math.min(Math.max(end, 0), 4_000)).toString();
      // The schema of a manifest admits no other.
      if (!/^(?!\/)(?!(.*\/)?\.\.(\/|$))[^\0]+$/.test(path)) return 'no path';
      return refusalOf(locateDatabase(data, path), 'ERR_RESTORE_TARGET', (file) => {
        assert(file.startsWith('/') && !file.includes('\0'), JSON.stringify(file));
        return file.startsWith(data) ? 'inside' : 'outside';
      });
    },
  };
}

/** Metrics that this package or another program wrote: only the time of the last success is taken from them. */
const metrics: FuzzedParser = {
  name: 'metrics',
  read: (input) => {
    const end = { durationMs: 5, endedAt: new Date(1e12), figures: [] };
    const text = metricsText({ ...end, command: 'backup run', exitCode: 1 }, input.toString());
    const kept = /^domino_vss_last_success_timestamp_seconds\{command="backup run"\} (.*)$/m.exec(text)?.[1];
    assert(kept === undefined || (Number(kept) > 0 && Number.isFinite(Number(kept))));
    assert(text.split('\n').every((line) => line === '' || /^(#|domino_vss_\w+\{[^{}]*\} [-\d.e+]+$)/.test(line)));
    const labels = { volume: textOf(input) };
    const own = { name: 'x', help: 'x', value: 1, labels };
    const written = metricsText({ ...end, command: 'backup run', exitCode: 0, figures: [own] });
    assert.equal(written.split('\n').filter((line) => line.startsWith('domino_vss_')).length, 5);
    return kept === undefined ? 'none' : 'kept';
  },
};

/** Durations, numbers, times, ids, names of volumes, globs, arguments: the same text for each of them. */
const words: FuzzedParser = {
  name: 'words',
  read: (input) => {
    const text = input.toString().slice(0, 5_000);
    const outcomes: string[] = [];
    for (const parse of [duration, milliseconds, wholeNumber]) {
      try {
        const value = parse(text);
        assert(Number.isSafeInteger(value) && value >= 0);
        outcomes.push('number');
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'commander.invalidArgument');
      }
    }
    for (const check of [until, guid, volumeName, exposureName]) {
      try {
        check(text, 'option');
        outcomes.push(check.name);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_OPTION');
      }
    }
    if (outcomes.includes('until')) {
      try {
        const time = pointInTimeOf(text, manifestHead);
        assert(time === undefined || timedateToDate(time) !== undefined, text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_RESTORE_TIME');
      }
    }
    if (isGuid(text)) assert(isGuid(normalGuid(text)));
    assert.equal(volumePath(volumePath(text)), volumePath(text));
    if (outcomes.includes('exposureName')) assert.equal(exposurePlace(exposurePlace(text)), exposurePlace(text));
    assert.deepEqual(argumentsOf(quoted(text)), [text]);
    const [glob = '', path = ''] = text.split('\n');
    assert.equal(typeof matcher([glob.slice(0, 100)])(path.slice(0, 200)), 'boolean');
    if (/^[0-9A-F]{32}/.test(text)) assert.equal(unidText(unidBytes(text.slice(0, 32)), 0), text.slice(0, 32));
    const date = new Date(Number(text.slice(0, 16)) || 0);
    if (date.getTime() > 0 && date.getTime() < 1e14)
      assert.equal(timedateToDate(dateToTimedate(date))?.getTime(), Math.floor(date.getTime() / 10) * 10);
    return outcomes.join();
  },
};

/** As CommandLineToArgvW splits a command line, after the name of the program. */
function argumentsOf(line: string): string[] {
  const found: string[] = [];
  let [text, isQuoted, isBegun, at] = ['', false, false, 0];
  while (at < line.length) {
    const [backslashes = ''] = /^\\*/.exec(line.slice(at)) ?? [];
    at += backslashes.length;
    const next = line[at];
    if (next === '"') {
      text += '\\'.repeat(Math.floor(backslashes.length / 2));
      if (backslashes.length % 2 === 1) text += '"';
      else isQuoted = !isQuoted;
      isBegun = true;
    } else {
      text += backslashes;
      if (next !== undefined && /[ \t]/.test(next) && !isQuoted) {
        if (isBegun || text !== '') found.push(text);
        [text, isBegun] = ['', false];
      } else text += next ?? '';
    }
    at += 1;
  }
  if (isBegun || text !== '') found.push(text);
  return found;
}
