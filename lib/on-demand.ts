/**
 * The modules behind the functions of index.ts, each loaded by the first call that needs it: whoever imports the package pays for
 * what is used only. This file is the only one that loads so. What ends a backup is loaded with what begins it, so nothing has to be
 * read from the disk once databases are in backup mode.
 */
export const onDemand = {
  get beginBackup() {
    return require('./backup/begin-backup') as typeof import('./backup/begin-backup');
  },
  get rehearse() {
    return require('./backup/rehearse') as typeof import('./backup/rehearse');
  },
  get options() {
    return require('./call/options') as typeof import('./call/options');
  },
  get capabilities() {
    return require('./doctor/capabilities') as typeof import('./doctor/capabilities');
  },
  get doctor() {
    return require('./doctor/doctor') as typeof import('./doctor/doctor');
  },
  get databases() {
    return require('./domino/databases') as typeof import('./domino/databases');
  },
  get windowsService() {
    return require('./domino/windows-service') as typeof import('./domino/windows-service');
  },
  get background() {
    return require('./hold/background') as typeof import('./hold/background');
  },
  get hold() {
    return require('./hold/hold') as typeof import('./hold/hold');
  },
  get isolatedBackup() {
    return require('./isolation/isolated-backup') as typeof import('./isolation/isolated-backup');
  },
  get isolatedCall() {
    return require('./isolation/isolated-call') as typeof import('./isolation/isolated-call');
  },
  get archiveLogs() {
    return require('./logs/archive') as typeof import('./logs/archive');
  },
  get listLogs() {
    return require('./logs/list') as typeof import('./logs/list');
  },
  get pruneLogs() {
    return require('./logs/prune') as typeof import('./logs/prune');
  },
  get recover() {
    return require('./recover/recover') as typeof import('./recover/recover');
  },
  get drill() {
    return require('./restore/drill') as typeof import('./restore/drill');
  },
  get restore() {
    return require('./restore/restore') as typeof import('./restore/restore');
  },
  get prune() {
    return require('./retention/prune') as typeof import('./retention/prune');
  },
  get recoveryDirectory() {
    return require('./restore/recovery-directory') as typeof import('./restore/recovery-directory');
  },
  get serverFiles() {
    return require('./restore/server-files') as typeof import('./restore/server-files');
  },
  get verify() {
    return require('./restore/verify') as typeof import('./restore/verify');
  },
  get runScript() {
    return require('./script/run-script') as typeof import('./script/run-script');
  },
  get listing() {
    return require('./store/listing') as typeof import('./store/listing');
  },
  get exposure() {
    return require('./vss/exposure') as typeof import('./vss/exposure');
  },
  get hardwareSets() {
    return require('./vss/hardware-sets') as typeof import('./vss/hardware-sets');
  },
  get providers() {
    return require('./vss/providers') as typeof import('./vss/providers');
  },
  get revert() {
    return require('./vss/revert') as typeof import('./vss/revert');
  },
  get shadows() {
    return require('./vss/shadows') as typeof import('./vss/shadows');
  },
  get writers() {
    return require('./vss/writers') as typeof import('./vss/writers');
  },
  get serve() {
    return require('./writer/serve') as typeof import('./writer/serve');
  },
};
