import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** One line of the stand-in's log of calls. */
export interface VssCall {
  readonly pid: number;
  readonly startedAtMs: number;
  /** `Interface::Method`, with `.async` for the operation of an IVssAsync. */
  readonly method: string;
  /** HRESULT as an unsigned number. */
  readonly result: number;
}

/** Settings of the stand-in for VSS; listed in simulator/vss/README.md. */
export type VssSettings = Readonly<Record<string, string | number>>;

/** The output of a program, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly lines: readonly unknown[];
  readonly stderr: string;
}

/**
 * A machine with the stand-in for VSS and two volumes, for one test file. The stand-in reads its settings once per process and
 * counts what is left when the process ends, so whatever uses VSS runs in separate programs.
 */
export class Machine {
  /** Directories of this machine on its two volumes. Shadows contain nothing else. */
  readonly homes: readonly [string, string];
  readonly #root: string;
  readonly #state: string;

  constructor() {
    this.#root = mkdtempSync('C:\\vss-test-');
    const name = this.#root.slice('C:\\'.length);
    this.homes = [`C:\\${name}\\data`, `D:\\${name}`];
    for (const home of this.homes) mkdirSync(home, { recursive: true });
    this.#state = join(this.#root, 'state');
  }

  /** Directory for backups, which is in no shadow. */
  get deltaDirectory(): string {
    return join(this.#root, 'backup');
  }

  /**
   * A separate directory for program data. Not for programs that use Domino: it contains the stand-in's shared memory, and a
   * program with another one than the server's would be in an environment where nothing is recorded.
   */
  get programData(): string {
    return join(this.#root, 'ProgramData');
  }

  /** The environment of a program that uses the stand-in with these settings. */
  environment(settings: VssSettings = {}): Readonly<Record<string, string>> {
    const file = join(mkdtempSync(join(this.#root, 'run-')), 'vss.ini');
    const all: VssSettings = {
      state: this.#state,
      volumes: 'C,D',
      'volume.C.include': this.homes[0].slice(3),
      'volume.D.include': this.homes[1].slice(3),
      log: 1,
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(file, lines.join(''));
    return { VSS_SIM_SETTINGS: file };
  }

  /** Starts a program in the directory of the tests. Each line of its output is a JSON document. */
  start(program: string, args: readonly string[], settings?: VssSettings): Program {
    return new Program(join(__dirname, program), args, this.environment(settings));
  }

  /** Runs it to its end, which must be successful. */
  async run(program: string, args: readonly string[], settings?: VssSettings): Promise<readonly unknown[]> {
    const { code, lines, stderr } = await this.start(program, args, settings).ended;
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${stderr}`);
    return lines;
  }

  /** In the order in which they began: the parts of a call may end, and be in the log, before the call itself. */
  calls(): VssCall[] {
    return this.#lines('calls.log')
      .map((line) => {
        const { pid, at, method = '', result } = pairs(line, ' ');
        return { pid: Number(pid), startedAtMs: Number(at), method, result: Number(result) };
      })
      .sort((a, b) => a.startedAtMs - b.startedAtMs);
  }

  /** The reports of all processes at their end: live objects, strings, broken rules. */
  reports(): Readonly<Record<string, number>>[] {
    return this.#lines('report.log').map((line) =>
      Object.fromEntries(Object.entries(pairs(line, ' ')).map(([name, value]) => [name, Number(value)])),
    );
  }

  /** Ids of the shadows that VSS knows, or would delete at the next query because their process has died. */
  shadows(): string[] {
    const directory = join(this.#state, 'shadows');
    if (!existsSync(directory)) return [];
    return readdirSync(directory)
      .filter((name) => name.endsWith('.shadow'))
      .map((name) => name.slice(0, -'.shadow'.length));
  }

  /** Checks that no process of this machine still holds anything it was given, and that no rule of VSS was broken. */
  expectNoLeaks(): void {
    const reports = this.reports();
    const rule = /^(lenient\.|withoutApartment$)/;
    expect(reports.length).toBeGreaterThan(0);
    for (const report of reports) {
      const alive = Object.entries(report).filter(([name, value]) => name.endsWith('.alive') && value !== 0);
      const lenient = Object.entries(report).filter(([name, value]) => rule.test(name) && value !== 0);
      expect({ alive, lenient, infos: report['componentInfos.made'] }).toEqual({
        alive: [],
        lenient: [],
        infos: report['componentInfos.freed'],
      });
    }
  }

  /** Forgets calls and reports, but not shadows. Only while no program is running. */
  forgetCalls(): void {
    for (const name of ['calls.log', 'report.log']) rmSync(join(this.#state, name), { force: true });
  }

  [Symbol.dispose](): void {
    for (const directory of [this.#root, this.homes[1]]) rmSync(directory, { recursive: true, force: true });
  }

  #lines(name: string): string[] {
    const file = join(this.#state, name);
    if (!existsSync(file)) return [];
    return readFileSync(file, 'utf8').split(/\r?\n/).filter(Boolean);
  }
}

/** `name=value` pairs. */
function pairs(text: string, separator: string): Record<string, string> {
  const parts = text.split(separator).filter((part) => part.includes('='));
  return Object.fromEntries(parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]));
}

/** A program that communicates by lines. */
export class Program {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: unknown[] = [];
  #read = 0;
  #wake = (): void => undefined;

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [file, ...args], {
      env: { ...process.env, ...environment },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stderr = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    this.#child.stdin.on('error', () => undefined); // it may have died
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(JSON.parse(line));
      this.#wake();
    });
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject).on('close', (code) => {
        resolve({ code, lines: this.#lines, stderr });
        this.#wake();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The next line; undefined if the program has ended. */
  async next(): Promise<unknown> {
    const ended = this.ended.then(() => true);
    while (this.#read >= this.#lines.length) {
      const woken = new Promise<boolean>((resolve) => {
        this.#wake = () => {
          resolve(false);
        };
      });
      if ((await Promise.race([ended, woken])) && this.#read >= this.#lines.length) return undefined;
    }
    return this.#lines[this.#read++];
  }

  /** Output that has not been read yet. */
  get unread(): readonly unknown[] {
    return this.#lines.slice(this.#read);
  }

  say(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Sends a line and waits for the answer. */
  ask(line: string): Promise<unknown> {
    this.say(line);
    return this.expectNext();
  }

  /** The next line; fails if the program ends instead. */
  async expectNext(): Promise<unknown> {
    return (await this.next()) ?? this.#unexpectedEnd();
  }

  /** Closes the input, and waits for the end. */
  end(): Promise<Ended> {
    this.#child.stdin.end();
    return this.ended;
  }

  async #unexpectedEnd(): Promise<never> {
    const { code, stderr } = await this.ended;
    throw new Error(`the program has ended with ${code}: ${stderr}`);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
