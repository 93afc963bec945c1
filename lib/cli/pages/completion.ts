import type { CommandGrammar, Grammar, OptionGrammar } from './grammar';

/** Shells for which completions exist. */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/** The command whose operands are the words of another command. */
const helpWord = 'help';

/** The script that a shell loads when it starts. */
export function completionScript(shell: Shell, grammar: Grammar): string {
  switch (shell) {
    case 'bash':
      return bash(grammar);
    case 'zsh':
      // zsh has a compatibility layer for bash scripts.
      return `#compdef ${grammar.name}\nautoload -U +X bashcompinit && bashcompinit\n${bash(grammar)}${atFirstUse(grammar)}`;
    case 'fish':
      return fish(grammar);
    case 'powershell':
      return powershell(grammar);
  }
}

/** zsh loads the script when the user first completes a command, and expects it to answer at once. */
function atFirstUse({ name }: Grammar): string {
  const complete = `_bash_complete -o filenames -F _${name.replaceAll('-', '_')}`;
  return `[[ $funcstack[1] != _${name} ]] || ${complete}\n`;
}

/** Every sequence of words that may be followed by more words: none, `backup`, `help`, `help backup`. */
function pathsOf({ commands }: Grammar): Map<string, string[]> {
  const paths = new Map<string, string[]>([['', []]]);
  const add = (path: string, word: string): void => {
    const words = paths.get(path) ?? [];
    if (!words.includes(word)) words.push(word);
    paths.set(path, words);
  };
  for (const command of commands) {
    for (const [path, word, ...more] of spellings(command)) {
      for (const each of [word, ...more]) add(path, each);
      const [group] = path.split(' ');
      if (group !== undefined && group !== '') add('', group);
    }
  }
  // The words of a command are the operands of this one.
  for (const [path, words] of [...paths]) {
    paths.set(
      `${helpWord} ${path}`.trim(),
      words.filter((word) => word !== helpWord),
    );
  }
  return paths;
}

/** The words before the last word of a command, and the possible last words. */
function spellings({ name, aliases }: CommandGrammar): [string, string, ...string[]][] {
  const words = name.split(' ');
  const last = words.pop() ?? '';
  return [[words.join(' '), last, ...aliases]];
}

function namesOf(command: CommandGrammar): string[] {
  const words = command.name.split(' ');
  words.pop();
  return [command.name, ...command.aliases.map((alias) => [...words, alias].join(' '))];
}

function optionWords(options: readonly OptionGrammar[]): string {
  return [...options.flatMap(({ names }) => names), '--help'].join(' ');
}

function bash({ name, options, ...grammar }: Grammar): string {
  const { commands } = grammar;
  const paths = pathsOf({ name, options, ...grammar });
  const wordsCases = [...paths].map(([path, words]) => {
    const isOperand = path.startsWith(`${helpWord} `);
    return `    '${path}') words='${[...words, ...(isOperand ? [] : [optionWords(options)])].join(' ')}' ;;`;
  });
  const optionCases = commands
    .filter((command) => !paths.has(command.name))
    .map((command) => {
      const patterns = namesOf(command).map((each) => `'${each}'`);
      return `    ${patterns.join(' | ')}) words='${optionWords([...command.options, ...options])}' ;;`;
    });
  const valueCases = commands.flatMap((command) =>
    [...command.options, ...options]
      .filter(({ value }) => value !== 'none')
      .map((option) => {
        const patterns = namesOf(command).flatMap((each) => option.names.map((flag) => `'${each} ${flag}'`));
        return `    ${patterns.join(' | ')}) ${bashValue(option)} ;;`;
      }),
  );
  const steps = [...paths.entries()].flatMap(([path, words]) => words.map((word) => `'${`${path} ${word}`.trim()}'`));
  return `# Completion of ${name} for bash: source <(${name} completion bash)
_${name.replaceAll('-', '_')}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' next words='' index IFS=$' \\t\\n'
  for ((index = 1; index < COMP_CWORD; ++index)); do
    next="\${path:+$path }\${COMP_WORDS[index]}"
    case "$next" in
    ${steps.join(' | ')}) path="$next" ;;
    esac
  done
  COMPREPLY=()
  case "$path $previous" in
${valueCases.join('\n')}
  esac
  case "$path" in
${wordsCases.filter((line) => !line.includes("words=''")).join('\n')}
${optionCases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  # What a command works on may be a file.
  [[ \${#COMPREPLY[@]} -gt 0 || $current == -* || $path == ${helpWord}* ]] || { IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$current")); }
}
complete -o filenames -F _${name.replaceAll('-', '_')} ${name}
`;
}

function bashValue({ value, choices }: OptionGrammar): string {
  if (choices.length > 0) return `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$current")); return`;
  if (value === 'other') return 'return';
  return `IFS=$'\\n'; COMPREPLY=($(compgen -${value === 'dir' ? 'd' : 'f'} -- "$current")); return`;
}

function fish({ name, options, commands, ...grammar }: Grammar): string {
  const paths = pathsOf({ name, options, commands, ...grammar });
  const lines = [`# Completion of ${name} for fish: ${name} completion fish > ~/.config/fish/completions/${name}.fish`];
  for (const [path, words] of paths) {
    // fish looks for words wherever they are: after "help backup" it offers what it offers after "backup".
    if (path.includes(' ')) continue;
    for (const word of words) {
      const full = `${path} ${word}`.trim();
      const summary = commands.find((command) => namesOf(command).includes(full))?.summary ?? '';
      const unless = words.map((each) => `not __fish_seen_subcommand_from ${each}`).join('; and ');
      const condition = path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${path}; and ${unless}`;
      lines.push(`complete -c ${name} -f -n '${condition}' -a ${word} -d ${quoted(summary)}`);
    }
  }
  for (const command of commands) {
    for (const each of namesOf(command)) {
      const condition = each
        .split(' ')
        .map((word) => `__fish_seen_subcommand_from ${word}`)
        .join('; and ');
      for (const option of command.options) lines.push(fishOption(name, option, condition));
    }
  }
  for (const option of options) lines.push(fishOption(name, option));
  return `${lines.join('\n')}\n`;
}

function fishOption(program: string, { names, value, choices, summary }: OptionGrammar, condition?: string): string {
  const flags = names.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const files = value === 'file' ? '-r -F' : `-x -a '(__fish_complete_directories)'`;
  const values = choices.length > 0 ? `-x -a '${choices.join(' ')}'` : value === 'other' ? '-x' : files;
  return [
    `complete -c ${program}`,
    ...(condition === undefined ? [] : [`-n '${condition}'`]),
    ...flags,
    ...(value === 'none' ? [] : [values]),
    `-d ${quoted(summary)}`,
  ].join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function powershell({ name, options, commands, ...grammar }: Grammar): string {
  const paths = pathsOf({ name, options, commands, ...grammar });
  const list = (words: readonly string[]): string => `@(${words.map((word) => `'${word}'`).join(', ')})`;
  const next = [...paths].map(([path, words]) => `    '${path}' = ${list(words)}`);
  const known = commands.flatMap((command) =>
    namesOf(command).map((each) => {
      const flags = [...command.options, ...options].flatMap(({ names }) => names);
      return `    '${each}' = ${list([...flags, '--help'])}`;
    }),
  );
  const values = commands.flatMap((command) =>
    command.options
      .filter(({ choices }) => choices.length > 0)
      .flatMap(({ names, choices }) =>
        namesOf(command).flatMap((each) => names.map((flag) => `    '${each} ${flag}' = ${list(choices)}`)),
      ),
  );
  return `# Completion of ${name} for PowerShell: ${name} completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName ${name} -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $next = @{
${next.join('\n')}
  }
  $options = @{
${known.join('\n')}
  }
  $values = @{
${values.join('\n')}
  }
  $path = ''
  $previous = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $word = $element.ToString()
    if ($word -eq $wordToComplete -and $element.Extent.EndOffset -ge $cursorPosition) { break }
    if ($next.ContainsKey($path) -and $next[$path] -contains $word) { $path = "$path $word".Trim() }
    $previous = $word
  }
  $words = $values["$path $previous"]
  if ($null -eq $words) { $words = @($next[$path]) + @($options[$path]) }
  $words | Where-Object { $_ -and $_ -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}
`;
}
