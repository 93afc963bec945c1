// Really runs scripts one after the other, in the directory C:\work. Every request is a line with a JSON document:
// `{ "file", "keepGoing" }`; `clean up` deletes what is left.
//
//   node styles-program.js

import { runScript } from '#lib/index';
import { describeEvent } from '#lib/script/text';
import { answer, requests } from './lines';

interface Request {
  readonly file: string;
  readonly keepGoing: boolean;
}

/** The result of a script. */
export interface Outcome {
  readonly exitCode: number;
  readonly problems: readonly { readonly place: string; readonly message: string; readonly remedy: string }[];
  readonly output: string;
}

const workingDirectory = 'C:\\work';

async function run({ file, keepGoing }: Request): Promise<Outcome> {
  const events: string[] = [];
  const { exitCode, problems } = await runScript({
    script: { file },
    keepGoing,
    workingDirectory,
    env: { ...process.env, TEST_DIRECTORY: 'c:\\backup' },
    onEvent: (event) => {
      events.push(describeEvent(event) ?? '');
    },
  });
  return {
    exitCode,
    problems: problems.map(({ line, column, message, remedy }) => ({ place: `${line}:${column}`, message, remedy })),
    output: events.join('\n'),
  };
}

async function main(): Promise<void> {
  for await (const line of requests()) {
    if (line === 'clean up') {
      const { exitCode } = await runScript({ script: { text: 'delete shadows all' }, workingDirectory });
      answer({ exitCode });
    } else {
      answer(await run(JSON.parse(line) as Request));
    }
  }
}

void main();
