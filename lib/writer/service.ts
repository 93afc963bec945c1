import { DominoVssError, runOnWindows, toPublicError } from '../errors/errors';
import type { NativeBinding, NativeOwnServices } from '../native/session';
import { findNotesIni, readDataDirectory } from '../domino/environment';
import type { DominoLocation } from '../call/options';

/** The start lists all databases, and a server may have very many. */
const startHintMs = 600_000;

/** A writer that runs as a Windows service, from its start by the Service Control Manager to its end. */
export class WriterService {
  readonly #services: NativeOwnServices;

  private constructor(services: NativeOwnServices) {
    this.#services = services;
  }

  /**
   * Connects to the Service Control Manager, which must have started this process for the service of that name. `stop` is called
   * when the service or the machine is to stop.
   */
  static async connect(loadBinding: () => NativeBinding, name: string, stop: () => void): Promise<WriterService> {
    const services = requireServices(loadBinding());
    await services.host(name, stop).catch((thrown: unknown) => {
      throw toPublicError(thrown);
    });
    services.reportHosted('starting', startHintMs, 0);
    return new WriterService(services);
  }

  running(): void {
    this.#services.reportHosted('running', 0, 0);
  }

  /**
   * Reports the end of the service. An exit code other than 0 is a failure: the Service Control Manager restarts the service
   * after a while.
   */
  stopped(exitCode: number): void {
    this.#services.reportHosted('stopped', 0, exitCode);
  }
}

export interface WriterServiceOptions {
  /** Default: a name derived from the data directory, so that each partition has its own. */
  readonly name?: string | undefined;
  /** An account that needs no password. Default: LocalSystem. */
  readonly account?: string | undefined;
  readonly domino?: DominoLocation | undefined;
  /** The program and its arguments, without those that name the service. */
  readonly command: readonly string[];
}

/** Registers the service and returns its name. The service is not started. */
export async function installWriterService(
  loadBinding: () => NativeBinding,
  { name: given, account = '', domino, command }: WriterServiceOptions,
): Promise<string> {
  const services = requireServices(loadBinding());
  const name = given ?? serviceName(readDataDirectory(findNotesIni(domino)));
  const registration = {
    name,
    displayName: name,
    description:
      'Turns VSS snapshots of the Domino server into backups: puts its databases into backup mode (domino-vss).',
    command: [...command, '--service', name].map(quoted).join(' '),
    account: /^(?:\.\\|NT AUTHORITY\\)?(?:Local)?System$/i.test(account) ? '' : account,
  };
  await services.install(registration).catch((thrown: unknown) => {
    throw toPublicError(thrown);
  });
  return name;
}

export async function uninstallWriterService(
  loadBinding: () => NativeBinding,
  { name: given, domino }: Pick<WriterServiceOptions, 'name' | 'domino'>,
): Promise<string> {
  const services = requireServices(loadBinding());
  const name = given ?? serviceName(readDataDirectory(findNotesIni(domino)));
  await services.uninstall(name).catch((thrown: unknown) => {
    throw toPublicError(thrown);
  });
  return name;
}

/** `domino-vss writer (CDominodata)`, like the name of Domino's own service: service names have no slashes. */
export function serviceName(dataDirectory: string): string {
  return `domino-vss writer (${dataDirectory.replace(/[\\/:]+/g, '')})`;
}

/** Quotes an argument so that CommandLineToArgvW reads it back: backslashes are special only before a quotation mark. */
export function quoted(argument: string): string {
  if (argument !== '' && !/[\s"]/.test(argument)) return argument;
  return `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

function requireServices(binding: NativeBinding): NativeOwnServices {
  if (binding.services) return binding.services;
  const message = 'services of Windows exist on Windows only';
  throw new DominoVssError('ERR_UNSUPPORTED', { message, hint: runOnWindows, phase: 'prepare' });
}
