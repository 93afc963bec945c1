/* Finds the databases of a data directory with NSFSearch, like a backup program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "domino.h"
#include "harness.h"

typedef struct {
    TIMEDATE File;
    TIMEDATE Note;
    DWORD NoteID;
} GLOBALINSTANCEID;
typedef struct {
    TIMEDATE File;
    TIMEDATE Note;
    DWORD Sequence;
    TIMEDATE SequenceTime;
} ORIGINATORID;
typedef struct {
    GLOBALINSTANCEID ID;
    ORIGINATORID OriginatorID;
    WORD NoteClass;
    uint8_t SERetFlags;
    uint8_t Privileges;
    WORD SummaryLength;
} SEARCH_MATCH;

STATUS NSFSearch(DHANDLE db, DHANDLE formula, char* view, WORD flags, WORD mask, TIMEDATE* since,
                 STATUS (*callback)(void*, SEARCH_MATCH*, void*), void* parameter, TIMEDATE* until);

enum { SUMMARY = 2, FILETYPE = 4, ANYNOTEFILE = 10, RECURSE = 0x2000, NOUPDIRS = 0x4000, DIRS = 0x8000 };

struct found {
    char text[65536]; /* "path<TAB>type<LF>" of everything found */
    unsigned count;
    unsigned stopAfter;
    TIMEDATE replicaId;
    const char* wantedPath;
    char storage[4096];
};

/* Reads one text item from a summary buffer; empty if it is missing. */
static void summaryText(const unsigned char* summary, const char* name, char* value, size_t size) {
    WORD items = 0;
    memcpy(&items, summary + 2, 2);
    const unsigned char* at = summary + 4 + items * 4u;
    value[0] = 0;
    for (unsigned i = 0; i < items; ++i) {
        WORD nameLength = 0;
        WORD valueLength = 0;
        memcpy(&nameLength, summary + 4 + i * 4u, 2);
        memcpy(&valueLength, summary + 6 + i * 4u, 2);
        WORD type = 0;
        memcpy(&type, at + nameLength, 2);
        if (nameLength == strlen(name) && strncasecmp((const char*)at, name, nameLength) == 0 && type == 0x0500) {
            const size_t length = valueLength - 2u < size - 1 ? valueLength - 2u : size - 1;
            memcpy(value, at + nameLength + 2, length);
            value[length] = 0;
        }
        at += nameLength + valueLength;
    }
}

static STATUS collect(void* parameter, SEARCH_MATCH* unaligned, void* summary) {
    struct found* found = parameter;
    SEARCH_MATCH match;
    char path[1024];
    char type[64];
    memcpy(&match, unaligned, sizeof match);
    CHECK(sizeof match == 56);
    CHECK(match.SERetFlags & 1);
    WORD length = 0;
    memcpy(&length, summary, 2);
    CHECK(length == match.SummaryLength);
    summaryText(summary, "$path", path, sizeof path);
    summaryText(summary, "$TYPE", type, sizeof type);
    CHECK(path[0] != 0);
    withSlashes(path);
    const size_t used = strlen(found->text);
    snprintf(found->text + used, sizeof found->text - used, "%s\t%s\n", path, type);
    if (found->wantedPath != NULL && strcmp(path, found->wantedPath) == 0) {
        found->replicaId = match.ID.Note;
        CHECK(memcmp(&match.OriginatorID.SequenceTime, &match.ID.Note, sizeof(TIMEDATE)) == 0);
        summaryText(summary, "$STORAGEPATH", found->storage, sizeof found->storage);
        withSlashes(found->storage);
    }
    return ++found->count == found->stopAfter ? 0x0107 : 0;
}

static struct found* search(const char* directory, WORD mask, STATUS expected, unsigned stopAfter, const char* wanted) {
    DHANDLE db = 0;
    WORD mode = 0;
    TIMEDATE until = {{0, 0}};
    struct found* found = calloc(1, sizeof *found);
    found->stopAfter = stopAfter;
    found->wantedPath = wanted;
    CHECK_OK(NSFDbOpen(directory, &db));
    CHECK_OK(NSFDbModeGet(db, &mode));
    CHECK(mode == 2);
    CHECK_STATUS(NSFSearch(db, 0, NULL, FILETYPE | SUMMARY, mask, NULL, collect, found, &until), expected);
    CHECK(expected != 0 || until.Innards[1] != 0);
    CHECK_STATUS(NSFSearch(db, 0, NULL, SUMMARY, mask, NULL, collect, found, NULL), 0x0208);
    CHECK_OK(NSFDbClose(db));
    return found;
}

static int has(const struct found* found, const char* line) {
    return strstr(found->text, line) != NULL;
}

int main(void) {
    simulationCreate("--databases 30 --links");
    simulationInit();

    struct found* all = search("", ANYNOTEFILE | RECURSE | NOUPDIRS | DIRS, 0, 0, "mail/user000000.nsf");
    CHECK(has(all, "mail/user000000.nsf\t$NOTEFILE\n"));
    CHECK(has(all, "mail.box\t$NOTEFILE\n"));
    CHECK(has(all, "Templates/mail14.ntf\t$NOTEFILE\n"));
    CHECK(has(all, "B\x81ro/\x8Erger \xA4.nsf\t$NOTEFILE\n")); /* LMBCS, not UTF-8 */
    CHECK(has(all, "mail\t$DIR\n"));
    CHECK(has(all, "archive\t$DIRLINK\n"));
    CHECK(has(all, "archive/2019/old2.nsf\t$NOTEFILE\n"));
    CHECK(has(all, "links/linked.nsf\t$DBLINK\n"));
    CHECK(has(all, "broken.nsf\t\n")); /* a file that only has the name of a database has no type */
    CHECK(!has(all, ".dtf") && !has(all, "readme.txt"));
    DHANDLE db = 0;
    DBREPLICAINFO info;
    CHECK_OK(NSFDbOpen("mail/user000000.nsf", &db));
    CHECK_OK(NSFDbReplicaInfoGet(db, &info));
    CHECK(memcmp(&info.ID, &all->replicaId, sizeof info.ID) == 0);
    CHECK_OK(NSFDbClose(db));
    CHECK_STATUS(NSFDbOpen("broken.nsf", &db), 0x0201);
    CHECK_STATUS(NSFDbOpen("short.nsf", &db), 0x0201);
    CHECK_STATUS(NSFDbOpen("links/dangling.nsf", &db), 0x01F9);

    struct found* flat = search("", ANYNOTEFILE, 0, 0, NULL);
    CHECK(has(flat, "names.nsf\t") && !has(flat, "mail/user000000.nsf"));
    struct found* sub = search("mail", ANYNOTEFILE, 0, 0, NULL);
    CHECK(has(sub, "mail/user000000.nsf\t") && !has(sub, "names.nsf"));
    struct found* linked = search("", ANYNOTEFILE | RECURSE, 0, 0, "links/linked.nsf");
    CHECK(strstr(linked->storage, "-outside/single/linked database.nsf") != NULL);
    struct found* stopped = search("", ANYNOTEFILE | RECURSE, 0x0107, 3, NULL);
    CHECK(stopped->count == 3);

    NotesTerm();
    simulationDestroy();
    return 0;
}
