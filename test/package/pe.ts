import { readFileSync } from 'node:fs';

/** The parts of a library (PE32+, 64 bit) that the loader of Windows uses. */
export interface PeFacts {
  /** 0x8664 is x64, 0xaa64 is ARM64. */
  readonly machine: number;
  /** The libraries that it cannot be loaded without, in lower case. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

const directoryIndex = { exports: 0, imports: 1 };

export function readPe(path: string): PeFacts {
  const image = readFileSync(path);
  const header = image.readUInt32LE(0x3c);
  if (image.toString('latin1', header, header + 4) !== 'PE\0\0') throw new Error(`${path} is no PE file`);
  const optional = header + 24;
  if (image.readUInt16LE(optional) !== 0x20b) throw new Error(`${path} is no 64-bit PE file`);
  const sectionTable = optional + image.readUInt16LE(header + 20);
  const sections = Array.from({ length: image.readUInt16LE(header + 6) }, (_, index) => {
    const at = sectionTable + index * 40;
    return {
      address: image.readUInt32LE(at + 12),
      size: image.readUInt32LE(at + 16),
      file: image.readUInt32LE(at + 20),
    };
  });
  const offsetOf = (address: number): number => {
    const section = sections.find(
      (candidate) => address >= candidate.address && address < candidate.address + candidate.size,
    );
    if (section === undefined) throw new Error(`${path}: no section holds the address ${address}`);
    return address - section.address + section.file;
  };
  const text = (address: number): string => {
    const start = offsetOf(address);
    return image.toString('latin1', start, image.indexOf(0, start));
  };
  const directory = (index: number): number => image.readUInt32LE(optional + 112 + index * 8);
  /** A table of descriptors that ends with an empty one; the address of the name is `nameAt` bytes into each. */
  const names = (index: number, descriptorBytes: number, nameAt: number): string[] => {
    const found: string[] = [];
    if (directory(index) === 0) return found;
    for (let at = offsetOf(directory(index)) + nameAt; image.readUInt32LE(at) !== 0; at += descriptorBytes) {
      found.push(text(image.readUInt32LE(at)).toLowerCase());
    }
    return found;
  };
  const exportsAt = offsetOf(directory(directoryIndex.exports));
  const exportNames = offsetOf(image.readUInt32LE(exportsAt + 32));
  return {
    machine: image.readUInt16LE(header + 4),
    imports: names(directoryIndex.imports, 20, 12),
    exports: Array.from({ length: image.readUInt32LE(exportsAt + 24) }, (_, index) =>
      text(image.readUInt32LE(exportNames + index * 4)),
    ),
  };
}
