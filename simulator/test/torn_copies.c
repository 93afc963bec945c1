/* The verifier must detect errors: a copy without backup mode, a high-water mark that is too high, change information
 * of another backup, a copy from the wrong time. A check that cannot fail would prove nothing. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "domino.h"
#include "harness.h"

static const char* kName = "mail/db000000.nsf";
static char path[4096];
static char copy[512];

static void writeMeanwhile(uint64_t copied, void* parameter) {
    (void)copied;
    (void)parameter;
    serverAsk("run %s 3", kName);
}

static DHANDLE openDatabase(void) {
    DHANDLE db = 0;
    CHECK_OK(NSFDbOpen(kName, &db));
    CHECK_OK(NSFDbPathGet(db, NULL, path));
    return db;
}

static DWORD sizeOf(const char* file) {
    FILE* stream = fopen(file, "rb");
    CHECK(stream != NULL && fseek(stream, 0, SEEK_END) == 0);
    const long size = ftell(stream);
    fclose(stream);
    return (DWORD)size;
}

static DWORD drain(DHANDLE db, DHANDLE context, char* buffer, DWORD size) {
    DWORD filled = 0;
    CHECK_OK(NSFBackupGetNextChangeInfo(db, context, 0, buffer, size, &filled));
    return filled;
}

static void copyWithoutBackupMode(void) {
    copyFile(path, copy, sizeOf(path), writeMeanwhile, NULL);
    CHECK(verify("%s", copy) == 1);
}

static void heldTransactionIsSeenHalfWritten(void) {
    serverAsk("hold %s 1", kName);
    copyFile(path, copy, sizeOf(path), NULL, NULL);
    serverAsk("release %s", kName);
    CHECK(verify("%s", copy) == 1);
    copyFile(path, copy, sizeOf(path), NULL, NULL);
    CHECK(verify("%s", copy) == 0);
}

/* Returns the verdict on a copy whose mark was set to the end before copying, or not set at all. */
static int backupWithMark(int isTooHigh) {
    static char changes[4 << 20];
    DHANDLE db = openDatabase();
    DHANDLE context = 0;
    DHANDLE apply = 0;
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(NSFBackupStart(db, 0, &context, &low, &high));
    if (isTooHigh) {
        CHECK_OK(NSFBackupSetHighWaterMark(db, context, low, high));
    }
    copyFile(path, copy, low, writeMeanwhile, NULL);
    CHECK_OK(NSFBackupStop(db, context));
    const DWORD size = drain(db, context, changes, sizeof changes);
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copy, 0, size, 0));
    CHECK_OK(NSFBackupApplyNextChangeInfo(apply, 0, changes, size));
    CHECK_OK(NSFBackupEndApplyChangeInfo(apply, 0));
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFDbClose(db));
    return verify("%s", copy);
}

static void foreignAndDamagedChangeInfo(void) {
    static char changes[4 << 20];
    DHANDLE db = openDatabase();
    DHANDLE context = 0;
    DHANDLE apply = 0;
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(NSFBackupStart(db, 0, &context, &low, &high));
    copyFile(path, copy, low, writeMeanwhile, NULL);
    CHECK_OK(NSFBackupStop(db, context));
    const DWORD size = drain(db, context, changes, sizeof changes);
    CHECK_OK(NSFBackupEnd(db, context, 0));

    /* Damaged in the middle, truncated, and for the copy of a later backup of the same database. */
    changes[size / 2] = (char)(changes[size / 2] ^ 1);
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copy, 0, size, 0));
    CHECK_STATUS(NSFBackupApplyNextChangeInfo(apply, 0, changes, size), 0x0EA7);
    CHECK_OK(NSFBackupEndApplyChangeInfo(apply, APPLYEND_ABORT));
    changes[size / 2] = (char)(changes[size / 2] ^ 1);
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copy, 0, size, 0));
    CHECK_OK(NSFBackupApplyNextChangeInfo(apply, 0, changes, size - 10));
    CHECK_STATUS(NSFBackupEndApplyChangeInfo(apply, 0), 0x0EA7);
    CHECK_STATUS(NSFBackupEndApplyChangeInfo(apply, 0), 0x0EA6);
    CHECK_STATUS(NSFBackupApplyNextChangeInfo(0, 0, changes, 0), 0x0EA6);
    CHECK_OK(NSFBackupStart(db, 0, &context, &low, &high));
    copyFile(path, copy, low, NULL, NULL);
    CHECK_OK(NSFBackupStop(db, context));
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copy, 0, size, 0));
    CHECK_STATUS(NSFBackupApplyNextChangeInfo(apply, 0, changes, size), 0x0EA7);
    CHECK_OK(NSFBackupEndApplyChangeInfo(apply, APPLYEND_ABORT));
    CHECK_OK(NSFDbClose(db));
}

static void wrongTimeIsNoticed(void) {
    const int64_t early = monotonicNs();
    serverAsk("run %s 1", kName);
    const int64_t between = monotonicNs();
    copyFile(path, copy, sizeOf(path), NULL, NULL);
    serverAsk("run %s 1", kName);
    const int64_t late = monotonicNs();
    CHECK(verify("--not-after %" PRId64 " %s", early, copy) == 1);
    CHECK(verify("--not-before %" PRId64 " %s", late, copy) == 1);
    CHECK(verify("--between %" PRId64 ":%" PRId64 " %s", between, between, copy) == 0);
}

int main(void) {
    simulationCreate("--databases 1 --plain-names --pages 100:100");
    serverStart("--threads 0");
    simulationInit();
    snprintf(copy, sizeof copy, "%s/copy.nsf", testDirectory());
    CHECK_OK(NSFDbClose(openDatabase()));
    copyWithoutBackupMode();
    heldTransactionIsSeenHalfWritten();
    CHECK(backupWithMark(1) == 1);
    CHECK(backupWithMark(0) == 0);
    foreignAndDamagedChangeInfo();
    wrongTimeIsNoticed();
    NotesTerm();
    simulationDestroy();
    return 0;
}
