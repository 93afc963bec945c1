/** What can be done about an error of the Service Control Manager of Windows; undefined for the general advice. */
export function adviceOnService(windowsError: number): string | undefined {
  return advice.get(windowsError);
}

const advice: ReadonlyMap<number, string> = new Map([
  // ERROR_ACCESS_DENIED
  [5, 'Run elevated, or as an account that may stop and start the service.'],
  // ERROR_DEPENDENT_SERVICES_RUNNING
  [1051, 'Stop the services that depend on it first, and start them afterwards; this package leaves them alone.'],
  // ERROR_SERVICE_DISABLED
  [1058, 'Set its start type to something other than disabled.'],
  // ERROR_SERVICE_DOES_NOT_EXIST
  [1060, 'Name the service by its service name, which "sc query" and its properties show.'],
  // ERROR_SERVICE_LOGON_FAILED
  [1069, 'Correct the account or the password that the service logs on with, then start it at once.'],
]);
