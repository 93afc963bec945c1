/** What a terminal obeys instead of showing, or what turns the order of a line around; half a pair of surrogates is no character. */
const unprintable =
  // eslint-disable-next-line no-control-regex -- control characters are the point
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * A text on one line that is safe on a terminal: `\n`, `\x1b`, `\u202e` instead of the characters. For people; it cannot be
 * turned back, for a backslash stays as it is.
 */
export function printable(text: string): string {
  return text.replace(unprintable, (character) => short[character] ?? escaped(character, '\\x'));
}

/** As {@link printable}, for texts that have lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON in which such characters are written as `\u009b`: the values stay what they are. */
export function printableJson(json: string): string {
  return json.replace(unprintable, (character) => (character === '\n' ? character : escaped(character, '\\u')));
}

function escaped(character: string, short: '\\x' | '\\u'): string {
  const code = character.charCodeAt(0);
  return code < 0x100 && short === '\\x'
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
