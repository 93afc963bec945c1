import { readFileSync } from 'node:fs';

/** The parts of a shared object (ELF, 64 bit, little endian) that the loader of Linux uses. */
export interface ElfFacts {
  /** `e_machine`: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  /** The libraries that it needs (`DT_NEEDED`). */
  readonly needed: readonly string[];
  /** The symbol versions that it needs of each library, for example `libc.so.6` → `GLIBC_2.34`. */
  readonly neededVersions: ReadonlyMap<string, readonly string[]>;
  readonly runPath: string | undefined;
  /** `DT_FLAGS_1`. */
  readonly flags1: number;
  /** Names of the functions and objects that it exports. */
  readonly exports: readonly string[];
}

export const DF_1_NODELETE = 0x8;

const tag = { needed: 1, rpath: 15, runPath: 29, flags1: 0x6ffffffb };
const sectionType = { dynamic: 6, dynamicSymbols: 11, neededVersions: 0x6ffffffe };

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

export function readElf(path: string): ElfFacts {
  const image = readFileSync(path);
  if (image.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error(`${path} is no 64-bit little-endian ELF`);
  const u64 = (offset: number): number => Number(image.readBigUInt64LE(offset));
  const sections = Array.from({ length: image.readUInt16LE(60) }, (_, index): Section => {
    const at = u64(40) + index * image.readUInt16LE(58);
    return {
      type: image.readUInt32LE(at + 4),
      offset: u64(at + 24),
      size: u64(at + 32),
      link: image.readUInt32LE(at + 40),
    };
  });
  const section = (type: number): Section => {
    const found = sections.find((candidate) => candidate.type === type);
    if (found === undefined) throw new Error(`${path} has no section of type ${type}`);
    return found;
  };
  const text = (owner: Section, offset: number): string => {
    const start = sections[owner.link]!.offset + offset;
    return image.toString('latin1', start, image.indexOf(0, start));
  };

  const dynamic = section(sectionType.dynamic);
  const entries = Array.from({ length: dynamic.size / 16 }, (_, index) => ({
    tag: u64(dynamic.offset + index * 16),
    value: u64(dynamic.offset + index * 16 + 8),
  }));
  const values = (wanted: number): number[] =>
    entries.filter((entry) => entry.tag === wanted).map(({ value }) => value);
  const runPath = [...values(tag.runPath), ...values(tag.rpath)][0];

  const symbols = section(sectionType.dynamicSymbols);
  const defined = Array.from({ length: symbols.size / 24 }, (_, index) => symbols.offset + index * 24).filter(
    (at) => image.readUInt16LE(at + 6) !== 0,
  );

  return {
    machine: image.readUInt16LE(18),
    needed: values(tag.needed).map((offset) => text(dynamic, offset)),
    neededVersions: readNeededVersions(image, section(sectionType.neededVersions), text),
    runPath: runPath === undefined ? undefined : text(dynamic, runPath),
    flags1: values(tag.flags1)[0] ?? 0,
    exports: defined.map((at) => text(symbols, image.readUInt32LE(at))),
  };
}

/** Verneed is a list of libraries, each with a list of versions; both are linked by relative offsets. */
function readNeededVersions(
  image: Buffer,
  section: Section,
  text: (owner: Section, offset: number) => string,
): Map<string, string[]> {
  const versions = new Map<string, string[]>();
  for (let library = section.offset, next = -1; next !== 0; library += next) {
    const names: string[] = [];
    let version = library + image.readUInt32LE(library + 8);
    for (let count = image.readUInt16LE(library + 2); count > 0; count -= 1) {
      names.push(text(section, image.readUInt32LE(version + 8)));
      version += image.readUInt32LE(version + 12);
    }
    versions.set(text(section, image.readUInt32LE(library + 4)), names);
    next = image.readUInt32LE(library + 12);
  }
  return versions;
}
