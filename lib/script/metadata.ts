import type { CreateRequest } from './target';

/** An alias in Manifest.xml. */
export interface MetadataAlias {
  readonly name: string;
  readonly value: string;
}

/** The Manifest.xml of a metadata cabinet: the set that it describes, and its aliases. */
export function writeManifestXml(
  setId: string,
  request: Pick<CreateRequest, 'context' | 'backupType' | 'volumes'>,
  aliases: readonly MetadataAlias[],
): string {
  const { lifetime, writers } = request.context;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<Manifest generator="domino-vss" version="1">',
    `  <SnapshotSet id="${escapeXml(setId)}" context="${lifetime}" writers="${writers}" type="${request.backupType}"/>`,
    ...request.volumes.map(({ volume }) => `  <Volume name="${escapeXml(volume)}"/>`),
    ...aliases.map(({ name, value }) => `  <Alias name="${escapeXml(name)}" value="${escapeXml(value)}"/>`),
    '</Manifest>',
    '',
  ].join('\n');
}

/** The aliases in a manifest written by {@link writeManifestXml}; undefined for one of another program. */
export function readManifestAliases(xml: string): readonly MetadataAlias[] | undefined {
  if (!xml.includes('<Manifest generator="domino-vss"')) return undefined;
  return [...xml.matchAll(/<Alias name="([^"]*)" value="([^"]*)"\/>/g)].map(([, name = '', value = '']) => ({
    name: unescapeXml(name),
    value: unescapeXml(value),
  }));
}

/** Name of a metadata file for which the script has none. Made of date, time and computer, like those of diskshadow. */
export function generatedMetadataName(now: Date, computer: string): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('-');
  const time = [two(now.getHours()), two(now.getMinutes()), two(now.getSeconds())].join('-');
  return `${date}_${time}_${computer}.cab`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function unescapeXml(text: string): string {
  return text.replace(/&(?:amp|lt|gt|quot);/g, (entity) => {
    return Object.keys(entities).find((character) => entities[character] === entity) ?? entity;
  });
}
