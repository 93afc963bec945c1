/** Advice on an error of the Windows Service Control Manager; undefined if only the general advice applies. */
export function adviceOnService(windowsError: number): string | undefined {
  return advice.get(windowsError);
}

const advice: ReadonlyMap<number, string> = new Map([
  // ERROR_ACCESS_DENIED
  [5, 'Run elevated, or as an account that may stop and start the service.'],
  // ERROR_INVALID_SERVICE_ACCOUNT
  [1057, 'Name an account that exists and needs no password: a built-in, virtual or managed one.'],
  // ERROR_DEPENDENT_SERVICES_RUNNING
  [1051, 'Stop the services that depend on it first, and start them afterwards; this package does not touch them.'],
  // ERROR_SERVICE_DISABLED
  [1058, 'Set its start type to something other than disabled.'],
  // ERROR_SERVICE_DOES_NOT_EXIST
  [1060, 'Name the service by its service name, which "sc query" and its properties show.'],
  // ERROR_FAILED_SERVICE_CONTROLLER_CONNECT
  [1063, 'Leave out --service: only the Service Control Manager starts a service, with "net start" or "sc start".'],
  // ERROR_SERVICE_LOGON_FAILED
  [1069, 'Correct the account or password that the service logs on with, then start it immediately.'],
  // ERROR_SERVICE_MARKED_FOR_DELETE
  [1072, 'It disappears when it has stopped and no program has it open any more; then try again.'],
  // ERROR_SERVICE_EXISTS
  [1073, 'Remove it first (domino-vss writer uninstall), or give the new one another name.'],
]);
