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

/** As a shell reports a process that was ended by SIGINT. */
export const exitCodeOfInterrupt = 130;
