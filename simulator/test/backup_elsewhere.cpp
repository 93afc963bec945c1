// Whether a backup file outside the data directory is still usable, queried for each style of logging. The argument is
// the style.
#include <filesystem>
#include <string>

#include "domino.h"
#include "harness.h"

namespace fs = std::filesystem;

int main(int argc, char** argv) {
    CHECK(argc == 2);
    const std::string style = argv[1];
    // By default, some databases of a logging server are not logged.
    simulationCreate(("--databases 2 --plain-names --unlogged-share 0 --log " + style).c_str());
    serverStart("--threads 0");
    simulationInit();
    const std::string name = "mail/db000000.nsf";
    const std::string copy = std::string(testDirectory()) + "/elsewhere/copy.nsf";
    fs::create_directories(fs::path(copy).parent_path());
    DHANDLE db = 0;
    DHANDLE context = 0;
    DWORD size = 0;
    startBackup(name.c_str(), &db, &context, &size);
    serverAsk("run %s 2", name.c_str());
    finishBackup(db, context, size, copy.c_str());

    DWORD needed = 0;
    if (style == "none") {
        CHECK(((STATUS)NSFIsNewBackupNeeded(copy.c_str(), 0, &needed) & 0x3fff) != 0);
    } else {
        CHECK_OK(NSFIsNewBackupNeeded(copy.c_str(), 0, &needed));
        CHECK(needed > 0);
        const bool isArchived = style == "archive";
        CHECK_STATUS(NSFIsNewBackupNeeded(copy.c_str(), 65536, &needed), isArchived ? 0x0208 : 0);
        // NSFIsNewBackupNeeded did not open the file, so it is still a backup.
        WORD errorIndex = 0;
        CHECK_OK(NSFRecoverDatabases((copy + '\0').c_str(), nullptr, 2, &errorIndex, nullptr));
    }
    NotesTerm();
    simulationDestroy();
    return 0;
}
