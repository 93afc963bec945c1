/** What to do about a call that only Windows can serve: no provider or mode makes it possible elsewhere. */
export const runOnWindows = 'Run this on Windows.';
