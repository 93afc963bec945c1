import { parseArgs } from 'node:util';

/**
 * What a program was started with, as `parseArgs` of Node.js answers it. Ends the process with the usage when that is asked
 * for, and with exit code 2 at what the usage does not know.
 */
export function parseOptions(usage, { args, options = {}, allowPositionals = false, check = () => undefined } = {}) {
  try {
    const parsed = parseArgs({
      args,
      options: { help: { type: 'boolean', short: 'h' }, ...options },
      allowPositionals,
    });
    if (parsed.values.help) {
      console.log(usage);
      process.exit(0);
    }
    const wrong = check(parsed);
    if (wrong !== undefined) throw new Error(wrong);
    return parsed;
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
