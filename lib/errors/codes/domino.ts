import { failure, precondition, type ErrorCodeEntry } from './entry';

/** The Domino runtime: finding, loading and calling it. */
export const dominoCodes = {
  ERR_DOMINO_LIBRARY: {
    meaning: 'The Domino runtime library was not found or could not be loaded.',
    action: 'Name the Domino program directory (option domino.programDirectory, --program, or Notes_ExecDirectory).',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_LIBRARY_UNSAFE: {
    meaning: 'The Domino runtime library, or a directory above it, can be changed by ordinary users.',
    action:
      'Run the command of the message as an administrator. If other users must keep that right, the option domino.trustProgramDirectory (--trust-program) turns off this check only.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_ENVIRONMENT: {
    meaning: 'A library that the Domino runtime depends on was not found.',
    action:
      'Start the process with the program directory in LD_LIBRARY_PATH; the command line does this automatically.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_BITNESS: {
    meaning: 'The Domino runtime library is for another architecture than this process.',
    action: 'Use Node.js of the same architecture as the Domino server.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_NOTES_INI: {
    meaning: 'notes.ini was not found, cannot be read, or names no data directory.',
    action: 'Name it (option domino.notesIni or --ini); the server normally keeps it in its data directory.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_SEVERAL: {
    meaning: 'Several Domino servers are registered on this machine, and none was selected.',
    action: 'Name the notes.ini of the right one (option domino.notesIni, --ini, or NOTES_INI in the environment).',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_USER: {
    meaning: 'Domino refuses to run under this user, usually because it is root.',
    action: 'Run as the user that the Domino server runs as (the owner of the data directory).',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_NOT_SHARED: {
    meaning:
      'This process does not share the memory of the Domino server, or the server is down: a backup would record nothing of what the server writes.',
    action: 'Run as the same user, with the same program directory and notes.ini as the server, and start that.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_DOMINO_INIT: {
    meaning: 'The Domino runtime could not be initialised.',
    action: 'See the status in the message; `domino-vss doctor` tests every precondition.',
    errorClass: 'DominoError',
    ...precondition,
  },
  ERR_DOMINO_RUNTIME_BUSY: {
    meaning:
      'This process already uses a Domino runtime: for another program directory or notes.ini, or in another copy of this package.',
    action:
      'Use a separate process for each Domino partition, and only one copy of the package in each process: the runtime can be started only once.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DOMINO_NOT_OPEN: {
    meaning: 'A call needs the Domino runtime, which this process has not opened yet or has already closed.',
    action: 'Begin a backup or a restore first, and do not make calls while the process exits.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_DOMINO_CALL: {
    meaning: 'A function of the Domino C API failed.',
    action: 'See the name, number and text of the status.',
    errorClass: 'DominoError',
    ...failure,
  },
} as const satisfies Record<string, ErrorCodeEntry>;
