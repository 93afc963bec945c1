import type { VssProvider } from '../vss/providers';
import type { ShadowAttribute } from '../native/vss';
import type { Writer, WriterFailure, WriterFiles } from '../vss/writers';
import type { WriterDetail } from './commands';
import type { ListedAs } from './events';

/** The block of text that diskshadow prints for each shadow copy. */
export function shadowBlock({ shadow, alias, setAlias }: ListedAs): string[] {
  const named = (name: string): string => (name === '' ? '' : `\t\t%${name}%`);
  const volume = shadow.mountedAs === '' ? shadow.volume : `${shadow.volume} [${shadow.mountedAs}]`;
  return [
    `\t* Shadow copy ID = ${shadow.id}${named(alias)}`,
    `\t\t- Shadow copy set: ${shadow.setId}${named(setAlias)}`,
    `\t\t- Original count of shadow copies = ${shadow.setCount}`,
    `\t\t- Original volume name: ${volume}`,
    `\t\t- Creation time: ${formatTime(shadow.created)}`,
    `\t\t- Shadow copy device name: ${shadow.devicePath}`,
    `\t\t- Originating machine: ${shadow.originatingMachine}`,
    `\t\t- Service machine: ${shadow.serviceMachine}`,
    `\t\t- ${describeExposure(shadow)}`,
    `\t\t- Provider ID: ${shadow.providerId}`,
    `\t\t- Attributes: ${describeAttributes(shadow.attributes)}`,
  ];
}

function describeExposure({ exposedAs, exposedPath, attributes }: ListedAs['shadow']): string {
  if (exposedAs === '') return 'Not exposed';
  if (!attributes.includes('exposed-remotely')) return `Exposed locally as ${exposedAs}`;
  return `Exposed remotely as ${exposedAs}${exposedPath === '' ? '' : `, path ${exposedPath}`}`;
}

/** Attributes that the exposure already shows. */
const saidElsewhere: readonly ShadowAttribute[] = ['no-auto-release', 'exposed-locally', 'exposed-remotely'];

function describeAttributes(attributes: readonly ShadowAttribute[]): string {
  const release = attributes.includes('no-auto-release') ? 'No_Auto_Release' : 'Auto_Release';
  return [release, ...attributes.filter((word) => !saidElsewhere.includes(word)).map(capitals)].join(' ');
}

function capitals(word: string): string {
  return word.replace(
    /(^|-)(\w)/g,
    (_match, before: string, letter: string) => (before ? '_' : '') + letter.toUpperCase(),
  );
}

/** Local time, so that users can compare it with their clock. */
export function formatTime(time: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
}

/** The output of `list writers`. */
export function writerLines(writers: readonly Writer[], detail: WriterDetail): string[] {
  return [
    ...writers.flatMap((writer) => writerBlock(writer, detail)),
    '',
    `Number of writers listed: ${writers.length}`,
  ];
}

function writerBlock(writer: Writer, detail: WriterDetail): string[] {
  const head = [
    `* WRITER "${writer.name}"`,
    `\t- Writer ID   = ${writer.id}`,
    `\t- Writer instance ID = ${writer.instanceId}`,
  ];
  if (detail === 'summary') return head;
  if (detail === 'status') {
    const { failure } = writer;
    return [...head, `\t- Status: ${writer.state}`, `\t- Writer Failure code: ${describeFailure(failure)}`];
  }
  return [
    ...head,
    `\t- Usage: ${writer.usage}`,
    `\t- Source: ${writer.source}`,
    ...(detail === 'detailed'
      ? writer.excludedFiles.map((files) => `\t- Excluded files: ${describeFiles(files)}`)
      : []),
    ...writer.components.flatMap(({ logicalPath, name, caption, type, selectable, files }) => [
      `\t+ Component "${writer.name}:${componentPath(logicalPath, name)}"`,
      ...(caption === '' ? [] : [`\t\t- Caption: ${caption}`]),
      `\t\t- Type: ${type}`,
      `\t\t- Is selectable: ${selectable ? 'TRUE' : 'FALSE'}`,
      ...(detail === 'detailed' ? files.map((group) => `\t\t- File list: ${describeFiles(group)}`) : []),
    ]),
  ];
}

function describeFailure(failure: WriterFailure | null): string {
  if (!failure) return '0x00000000 (S_OK)';
  const { hresultHex, hresultName, applicationMessage } = failure;
  return `${hresultHex} (${hresultName})${applicationMessage === '' ? '' : `: ${applicationMessage}`}`;
}

function componentPath(logicalPath: string, name: string): string {
  return `\\${[logicalPath, name].filter((part) => part !== '').join('\\')}`;
}

function describeFiles({ path, fileSpec, recursive }: WriterFiles): string {
  return `Path = ${path}, Filespec = ${fileSpec}${recursive ? ', recursive' : ''}`;
}

/** The output of `list providers`. */
export function providerLines(providers: readonly VssProvider[]): string[] {
  return [
    ...providers.flatMap(({ id, type, name, version, classId }) => [
      `* ProviderID: ${id}`,
      `\tType: ${type}`,
      `\tName: ${name}`,
      `\tVersion: ${version}`,
      `\tCLSID: ${classId}`,
    ]),
    '',
    `Number of shadow copy providers registered: ${providers.length}`,
  ];
}
