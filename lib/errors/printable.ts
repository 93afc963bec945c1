/** Characters that control a terminal or reverse the direction of a line, and unpaired surrogates, which are not characters. */
const unprintable =
  // eslint-disable-next-line no-control-regex -- control characters are the point
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One line of text that is safe on a terminal: `\n`, `\x1b`, `\u202e` instead of the characters. For people only: a backslash is
 * not escaped, so the result cannot be converted back.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => short[character] ?? escaped(character, '\\x'));
}

/** Like {@link printable}, for texts of several lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON in which such characters are written as `\u009b`; the values do not change. */
export function printableJson(json: string): string {
  return json.replace(unprintable, (character) => (character === '\n' ? character : escaped(character, '\\u')));
}

function escaped(character: string, short: '\\x' | '\\u'): string {
  const code = character.charCodeAt(0);
  return code < 0x100 && short === '\\x'
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
