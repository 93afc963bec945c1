// What comes from another process or from a script: messages of an isolated process, requests to a holder, scripts, cabinets.

import assert from 'node:assert';
import { deserialize, serialize } from 'node:v8';
import { isDominoVssError, toPublicError } from '#lib/errors/errors';
import { fromErrorRecord, toErrorRecord, type ErrorRecord } from '#lib/hold/hold-record';
import { answerIn, requestIn } from '#lib/hold/holder-messages';
import { decode, encode } from '#lib/isolation/wire';
import { completeCommand } from '#lib/script/completion';
import { parseScript } from '#lib/script/grammar';
import { splitLines } from '#lib/script/lexer';
import { readManifestAliases, writeManifestXml } from '#lib/script/metadata';
import { decodeScript } from '#lib/script/script-source';
import type { FuzzedParser } from './fuzzing';
import { allTexts, refusalOf, textOf } from './promises';

/** A value of an input in JSON, or its text. */
function valueOf(input: Buffer): unknown {
  try {
    return JSON.parse(input.toString()) as unknown;
  } catch {
    return textOf(input);
  }
}

const nothing = { function: () => 0, signal: () => 0 };
const stands = {
  function: () => () => Promise.resolve(),
  signal: () => new AbortController().signal,
};

/** Results and errors between the process that holds Domino and its caller: what was sent arrives. */
const isolation: FuzzedParser = {
  name: 'isolation',
  read: (input) => {
    const value = valueOf(input);
    let sent: unknown;
    try {
      sent = deserialize(serialize(encode(value, nothing)));
    } catch (error) {
      // A caller learns of it: too deep a nesting is the error of his call.
      assert.equal((error as Error).name, 'RangeError');
      return 'too deep';
    }
    assert.deepEqual(decode(sent, stands), value);
    const thrown = toPublicError(Object.assign(new Error(textOf(input)), { code: 'EIO', syscall: 'read', errno: -5 }));
    const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
    for (const [name, member] of fields) {
      if (['code', 'message', 'name', 'stack', 'cause', 'retryable'].includes(name)) continue;
      Object.defineProperty(thrown, name, { value: member, enumerable: true, configurable: true, writable: true });
    }
    const arrived = decode(deserialize(serialize(encode(thrown, nothing))), stands);
    assert(arrived instanceof Error && isDominoVssError(arrived), 'it is no error of this package any more');
    assert.deepEqual([arrived.code, arrived.message], [thrown.code, thrown.message]);
    return typeof value;
  },
};

/** The error in the record of a hold, or in an answer of its holder. */
const errorRecords: FuzzedParser = {
  name: 'error-record',
  read: (input) => {
    const value = valueOf(input);
    if (typeof value !== 'object' || value === null) return 'no record';
    const record = toErrorRecord(toPublicError(Object.assign(new Error('x'), { code: 'EIO', syscall: 'read' })));
    const whole = Object.fromEntries([...Object.entries(value), ...Object.entries(record)]) as ErrorRecord;
    const back = fromErrorRecord(whole);
    assert(back instanceof Error && isDominoVssError(back), 'it is no error of this package any more');
    assert.deepEqual([back.code, back.message], [record.code, record.message]);
    return `${Object.keys(value).length} fields`;
  },
};

/** What a client of a holder says, and what it is answered. */
const holderMessages: FuzzedParser = {
  name: 'holder-message',
  read: (input) => {
    const request = requestIn(input.toString());
    const type = request?.type ?? 'none';
    assert(['none', 'release', 'give-up'].includes(type));
    if (request?.type === 'release') assert.notEqual(Object.keys(request.options), undefined);
    const answer = answerIn(input.toString());
    if (answer && 'report' in answer) assert.equal(typeof answer.report, 'object');
    if (answer && 'error' in answer) allTexts([answer.error.code, answer.error.message]);
    if (answer && 'refused' in answer) allTexts([answer.refused.code, answer.refused.message]);
    return `${type} ${Object.keys(answer ?? {}).join()}`;
  },
};

const scripts: FuzzedParser = {
  name: 'script',
  read: (input) =>
    refusalOf(
      Promise.resolve().then(() => decodeScript(input, 'f')),
      'ERR_OPTION',
      ({ text, isGuess }) => {
        const { statements, problems } = parseScript(text, 'f');
        const lines = splitLines(text);
        for (const { line, column, message, remedy } of problems) {
          assert(column >= 1 && column <= (lines[line - 1] ?? '').length + 1);
          assert(message !== '' && remedy !== '');
        }
        const [words, piece] = completeCommand(lines.at(-1) ?? '', ['x']);
        allTexts(words, [piece]);
        const types = [...new Set(statements.map(({ command }) => command.type))].sort();
        return `${String(isGuess)} ${problems[0]?.message ?? types.join()}`;
      },
    ),
};

const cabinetManifests: FuzzedParser = {
  name: 'cabinet-manifest',
  read: (input) => {
    const found = readManifestAliases(input.toString());
    for (const { name, value } of found ?? []) allTexts([name, value]);
    const aliases = textOf(input)
      .split('\n')
      .map((name, index) => ({ name, value: `${index}${name}` }));
    const request = {
      context: { lifetime: 'persistent', writers: 'none' },
      backupType: 'copy',
      volumes: [],
    } as unknown as Parameters<typeof writeManifestXml>[1];
    assert.deepEqual(readManifestAliases(writeManifestXml('{set}', request, aliases)), aliases);
    return `${found?.length ?? 'not ours'}`;
  },
};

export const messages: readonly FuzzedParser[] = [isolation, errorRecords, holderMessages, scripts, cabinetManifests];
