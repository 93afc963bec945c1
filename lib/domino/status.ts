// Status codes of Domino that are decisive, and not only reported.

/** ERR_NOEXIST: there is no such database. Domino also returns it for paths that it cannot reach at the moment. */
export const noExist = 0x0103;

/** ERR_DBOFFLINE: already offline. */
export const alreadyOffline = 0x13f9;
