/* Backs up one database by copying it while the workload writes, with high-water marks, and applies the change
 * information. The workload's own log proves that the result is the state at NSFBackupStart. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domino.h"
#include "harness.h"

struct copying {
    DHANDLE db;
    DHANDLE context;
    unsigned blocks;
    unsigned marks;
};

/* A mark after every 10 blocks of 32 KB, like backup programs. The users write meanwhile. */
static void afterBlock(uint64_t copied, void* parameter) {
    struct copying* state = parameter;
    if (++state->blocks % 10 == 0) {
        CHECK_OK(NSFBackupSetHighWaterMark(state->db, state->context, (DWORD)copied, (DWORD)(copied >> 32)));
        ++state->marks;
    }
    serverAsk("run mail/db000000.nsf 3");
}

/* Drains the change information with one buffer size and applies it with another. */
static uint64_t applyChanges(DHANDLE db, DHANDLE context, char* copy, DWORD bufferSize, DWORD applySize) {
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high));
    const uint64_t total = ((uint64_t)high << 32) | low;
    char* stream = malloc(total + bufferSize);
    CHECK(stream != NULL);
    uint64_t got = 0;
    for (DWORD filled = 1; filled != 0;) {
        CHECK_OK(NSFBackupGetNextChangeInfo(db, context, 0, stream + got, bufferSize, &filled));
        CHECK(filled <= bufferSize);
        got += filled;
    }
    CHECK(got == total);
    DHANDLE apply = 0;
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copy, 0, low, high));
    for (uint64_t done = 0; done < total; done += applySize) {
        const uint64_t left = total - done;
        CHECK_OK(NSFBackupApplyNextChangeInfo(apply, 0, stream + done, left < applySize ? (DWORD)left : applySize));
    }
    CHECK_OK(NSFBackupApplyNextChangeInfo(apply, 0, stream, 0)); /* the empty piece at the end is tolerated */
    CHECK_OK(NSFBackupEndApplyChangeInfo(apply, 0));
    free(stream);
    return total;
}

static void backUp(DWORD bufferSize, DWORD applySize) {
    char path[4096];
    char copy[512];
    struct copying state = {0};
    CHECK_OK(NSFDbOpen("mail/db000000.nsf", &state.db));
    CHECK_OK(NSFDbPathGet(state.db, NULL, path));
    const int64_t before = monotonicNs();
    DWORD low = 0;
    DWORD high = 0;
    CHECK_OK(NSFBackupStart(state.db, 0, &state.context, &low, &high));
    const int64_t after = monotonicNs();
    snprintf(copy, sizeof copy, "%s/copy.nsf", testDirectory());
    copyFile(path, copy, ((uint64_t)high << 32) | low, afterBlock, &state);
    CHECK(state.marks >= 2);
    CHECK_OK(NSFBackupStop(state.db, state.context));
    CHECK(verify("%s", copy) != 0); /* without its change information, the copy is torn */
    CHECK(applyChanges(state.db, state.context, copy, bufferSize, applySize) > 0);
    CHECK_OK(NSFBackupEnd(state.db, state.context, 0));
    CHECK_STATUS(NSFBackupGetChangeInfoSize(state.db, state.context, 0, &low, &high), 0x0EA5);
    CHECK_OK(NSFDbClose(state.db));
    CHECK(verify("--between %" PRId64 ":%" PRId64 " %s", before, after, copy) == 0);
}

int main(void) {
    simulationCreate("--databases 4 --plain-names --pages 200:200");
    serverStart("--threads 2 --second-process");
    simulationInit();
    backUp(32768, 32768);
    backUp(5, 777); /* any buffer size works, and pieces may differ from those that were read */
    backUp(1000000, 100);
    NotesTerm();
    simulationDestroy();
    return 0;
}
