import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RunningProcess } from '../command-line';
import type { Sample, SoakSettings } from './samples';

/** The result of a soak. */
export interface Soaked {
  readonly samples: readonly Sample[];
  /** Journals that are left. */
  readonly left: readonly string[];
  readonly accounting: Readonly<Record<string, number>>;
}

/** Runs a soak in a separate process. */
export async function soak(settings: Omit<SoakSettings, 'home'>): Promise<Soaked> {
  const home = mkdtempSync(join(tmpdir(), 'domino-vss-test-'));
  try {
    const program = new RunningProcess(process.execPath, ['--expose-gc', join(__dirname, 'soak-program.js')], {
      // Includes the search path of libraries, because Domino is loaded into that process itself.
      env: { ...process.env, SOAK_SETTINGS: JSON.stringify({ ...settings, home }) },
    });
    const { code, stdout, stderr } = await program.ended;
    if (code !== 0) throw new Error(`the soak ended with ${code}:\n${stdout}${stderr}`);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    const end = lines.pop() as Omit<Soaked, 'samples'>;
    return { samples: lines as Sample[], ...end };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
