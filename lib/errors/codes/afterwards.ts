import { failure, failureForNow, precondition, type ErrorCodeEntry } from './entry';

/** Work on a finished shadow, and programs and services around a backup. */
export const afterwardsCodes = {
  ERR_SHADOW_FOREIGN: {
    meaning: 'The selection includes shadows that were not made by this package. Nothing was deleted.',
    action: 'Keep them (foreign: "keep", --own-only), or delete them too (foreign: "delete", --foreign).',
    errorClass: 'ShadowError',
    ...precondition,
  },
  ERR_SHADOW_VANISHED: {
    meaning:
      'The shadow was deleted while databases were being copied from it, or before the backup that was to keep it had ended.',
    action:
      'Enlarge the shadow storage: when it is full, Windows deletes the oldest shadow (System event log, VolSnap). Then ' +
      'repeat the backup.',
    errorClass: 'ShadowError',
    ...failureForNow,
  },
  ERR_COPY: {
    meaning: 'A database could not be copied: a file is shorter than at the start of the backup, or the target exists.',
    action: 'Copy into an empty directory; the message names the file.',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_EXEC: {
    meaning:
      'A program that was run by a script or a backup could not be started, or ended with an exit code other than 0.',
    action: 'See its output; a Windows script file that succeeds should end with "exit /b 0".',
    errorClass: 'DominoVssError',
    ...failure,
  },
  ERR_STATE_DIRECTORY: {
    meaning:
      'Ordinary users can change the directory where scripts without Domino keep their journals, or it cannot be created.',
    action:
      'Check its contents, which may come from another user, then delete it. It is created again, with access for SYSTEM and administrators only.',
    errorClass: 'DominoVssError',
    ...precondition,
  },
  ERR_SERVICE: {
    meaning: 'A Windows service could not be stopped, started, installed or removed.',
    action: 'Check the state of the service immediately: it may be stopped.',
    errorClass: 'ServiceError',
    ...failure,
  },
} as const satisfies Record<string, ErrorCodeEntry>;
