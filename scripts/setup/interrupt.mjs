let happened = false;

// Once: a second one ends this process at once.
process.once('SIGINT', () => (happened = true));

/**
 * Whether the user has pressed Ctrl-C. The programs of the foreground have been told so as well and end by themselves; what has
 * started them starts no other one, cleans up, and ends with {@link exitCodeOfInterrupt}.
 */
export function interrupted() {
  return happened;
}

/** A program that was started here and has ended by SIGINT: its end may be known before this process handles the signal. */
export function noteEnd(signal) {
  if (signal === 'SIGINT') happened = true;
}

/** As a shell reports a process that was ended by SIGINT. */
export const exitCodeOfInterrupt = 130;
