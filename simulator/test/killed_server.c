/* A server is killed repeatedly in the middle of its transactions. Nobody waits for the dead process, and the database
 * is consistent after each kill. */
#include <stdio.h>
#include <string.h>

#include "domino.h"
#include "harness.h"

int main(void) {
    char path[4096];
    char copy[512];
    simulationCreate("--databases 1 --plain-names");
    simulationInit();
    snprintf(copy, sizeof copy, "%s/copy.nsf", testDirectory());
    for (int turn = 0; turn < 6; ++turn) {
        DHANDLE db = 0;
        DHANDLE context = 0;
        DWORD low = 0;
        DWORD high = 0;
        serverStart("--threads 2 --second-process");
        sleepMs(100);
        serverKill();
        /* The second process notices the end of its parent and exits. */
        while (strstr(simOutput("stats --ini %s/notes.ini", dataDirectory()), "\"role\":\"writer\"") != NULL) {
            sleepMs(10);
        }
        const int64_t begin = monotonicNs();
        CHECK_OK(NSFDbOpen("mail/db000000.nsf", &db));
        CHECK_OK(NSFDbPathGet(db, NULL, path));
        CHECK_OK(NSFBackupStart(db, 0, &context, &low, &high));
        CHECK(monotonicNs() - begin < 5000000000);
        copyFile(path, copy, low, NULL, NULL);
        CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));
        CHECK_OK(NSFDbClose(db));
        CHECK(verify("%s", copy) == 0);
    }
    NotesTerm();
    simulationDestroy();
    return 0;
}
