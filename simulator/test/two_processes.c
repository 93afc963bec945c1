/* Two programs and a server in one partition: one backup at a time, the death of a backup program, programs outside the
 * server's environment, restarts, compacts, time-outs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domino.h"
#include "harness.h"

static const char* kName = "mail/db000000.nsf";

static DHANDLE openDatabase(void) {
    DHANDLE db = 0;
    CHECK_OK(NSFDbOpen(kName, &db));
    return db;
}

static STATUS tryStart(DHANDLE db, DHANDLE* context) {
    DWORD low = 0;
    DWORD high = 0;
    return ERR(NSFBackupStart(db, 0, context, &low, &high));
}

static void secondStart(void) {
    DHANDLE context = 0;
    const DHANDLE db = openDatabase();
    CHECK(tryStart(db, &context) == 0x0EA4);
    CHECK_STATUS(NSFBackupEnd(db, 0, BACKUPEND_ABORT), 0x0EA5); /* its owner is alive */
    CHECK_OK(NSFDbClose(db));
}

static void startAndDie(void) {
    DHANDLE context = 0;
    CHECK(tryStart(openDatabase(), &context) == 0);
    _Exit(137);
}

static void keep(void) {
    DHANDLE context = 0;
    const DHANDLE db = openDatabase();
    CHECK(tryStart(db, &context) == 0x0EA4);        /* the backup of the dead process still exists */
    CHECK_OK(NSFBackupEnd(db, 0, BACKUPEND_ABORT)); /* it has no owner any more */
    CHECK(tryStart(db, &context) == 0);
    pauseHere();
    CHECK_OK(NSFBackupStop(db, context));
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFDbClose(db));
}

static void separateEnvironment(void) {
    char path[4096];
    DHANDLE context = 0;
    DWORD low = 0;
    DWORD high = 0;
    const DHANDLE db = openDatabase();
    CHECK_OK(NSFDbPathGet(db, NULL, path));
    CHECK(tryStart(db, &context) == 0); /* although another process has it in backup: this process does not know */
    pauseHere();
    CHECK_OK(NSFBackupStop(db, context));
    CHECK_OK(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high));
    CHECK(low == 0 && high == 0); /* none of the server's writes were recorded, and no error reports it */
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFDbClose(db));
}

static void runSeparate(void) {
    setEnvironment("SIM_SEPARATE_ENVIRONMENT", "1");
    struct AgainProcess* separate = startAgain("separate");
    setEnvironment("SIM_SEPARATE_ENVIRONMENT", NULL);
    serverAsk("run %s 20", kName);
    CHECK(finishAgain(separate) == 0);
}

static int playPart(const char* part) {
    static const struct {
        const char* name;
        void (*play)(void);
    } parts[] = {{"die", startAndDie}, {"keep", keep}, {"second", secondStart}, {"separate", separateEnvironment}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; ++i) {
        if (strcmp(part, parts[i].name) == 0) {
            simulationInit();
            parts[i].play();
            NotesTerm();
            return 0;
        }
    }
    return 2;
}

int main(int argc, char** argv) {
    if (argc > 1) {
        return playPart(argv[1]);
    }
    simulationCreate("--databases 2 --plain-names");
    serverStart("--threads 0");
    CHECK(runAgain("die") == 137);
    CHECK(strstr(simOutput("stats --ini %s/notes.ini", dataDirectory()), "\"crashedParticipants\":1") != NULL);
    struct AgainProcess* keeper = startAgain("keep");
    CHECK(runAgain("second") == 0);
    CHECK(finishAgain(keeper) == 0);
    runSeparate();

    simulationInit();
    char path[4096];
    DHANDLE context = 0;
    DHANDLE second = 0;
    DHANDLE db = openDatabase();
    serverAsk("compact %s 0", kName);
    CHECK(tryStart(db, &context) == 0x13AA);
    serverAsk("compact-end %s", kName);

    /* Time limit: the next call reports it, and the database is free again. */
    CHECK(simTool("set --ini %s/notes.ini SIM_BACKUP_TIMEOUT_MS=30", dataDirectory()) == 0);
    CHECK(tryStart(db, &context) == 0);
    sleepMs(50);
    CHECK_STATUS(NSFBackupStop(db, context), 0x3810);
    CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));
    CHECK(simTool("set --ini %s/notes.ini SIM_BACKUP_TIMEOUT_MS=0 SIM_CHANGE_INFO_LIMIT_BYTES=20000",
                  dataDirectory()) == 0);

    /* Too many changes: the backup ends, or the user's write fails. */
    CHECK(tryStart(db, &context) == 0);
    serverAsk("run %s 20", kName);
    CHECK_STATUS(NSFBackupStop(db, context), 0x2DD8);
    CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));

    /* A server restart clears what was only in memory. */
    CHECK(tryStart(db, &context) == 0);
    CHECK(simTool("restart-server-state --ini %s/notes.ini", dataDirectory()) == 0);
    CHECK_STATUS(NSFBackupStop(db, context), 0x0EA5);
    CHECK_STATUS(NSFBackupEnd(db, context, BACKUPEND_ABORT), 0x0EA5);
    CHECK_OK(NSFDbClose(db));

    /* Faults: the second call of a function for one database. */
    CHECK(simTool("fault --ini %s/notes.ini NSFBackupStart:2@mail/db000001*=0x010E", dataDirectory()) == 0);
    db = openDatabase();
    for (int turn = 0; turn < 3; ++turn) {
        CHECK(tryStart(db, &context) == 0);
        CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));
    }
    CHECK_OK(NSFDbClose(db));
    CHECK_OK(NSFDbOpen("mail/db000001.nsf", &db));
    CHECK(tryStart(db, &context) == 0);
    CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));
    CHECK(tryStart(db, &context) == 0x010E);
    CHECK(tryStart(db, &context) == 0);
    CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));
    CHECK_OK(NSFDbClose(db));

    /* A fault for certain databases applies however they are named. */
    CHECK_OK(NSFDbOpen(kName, &db));
    CHECK_OK(NSFDbPathGet(db, NULL, path));
    CHECK_OK(NSFDbClose(db));
    CHECK(simTool("fault --ini %s/notes.ini NSFDbOpen@mail/db000000*=0x0107", dataDirectory()) == 0);
    CHECK_STATUS(NSFDbOpen(path, &db), 0x0107);
    CHECK(simTool("faults --ini %s/notes.ini --clear", dataDirectory()) == 0);

    /* A new file, even with the number of a deleted one, is not affected by the old one's backup. */
    CHECK_OK(NSFDbOpen(kName, &db));
    CHECK_OK(NSFDbPathGet(db, NULL, path));
    CHECK_OK(NSFDbClose(db));
    CHECK(runAgain("die") == 137);
    if (tellsReusedFileNumbers()) {
        CHECK(remove(path) == 0);
        CHECK_OK(NSFDbCreate(kName, 0, 0));
    } else {
        char other[4096];
        snprintf(other, sizeof other, "%s/mail/other.nsf", dataDirectory());
        CHECK_OK(NSFDbCreate("mail/other.nsf", 0, 0));
        CHECK(remove(path) == 0 && rename(other, path) == 0);
    }
    CHECK_OK(NSFDbOpen(kName, &db));
    CHECK(tryStart(db, &second) == 0);
    CHECK_OK(NSFBackupEnd(db, second, BACKUPEND_ABORT));

    CHECK(tryStart(db, &context) == 0);
    CHECK_OK(NSFDbClose(db));
    NotesTerm();
    const char* stats = simOutput("stats --ini %s/notes.ini", dataDirectory());
    CHECK(strstr(stats, "\"leakedBackupContexts\":1") != NULL);
    simulationDestroy();
    return 0;
}
