// The server's disk is lost; only a backup and archived extents remain. The log's control file is rebuilt from the
// extents, and a program without a server rolls the backup forward.
#include <filesystem>
#include <fstream>
#include <string>

#include "domino.h"
#include "harness.h"

namespace fs = std::filesystem;

namespace {

const char* const kName = "mail/db000000.nsf";

std::string saved(const std::string& name) {
    return std::string(testDirectory()) + "/saved/" + name;
}

std::string inData(const std::string& name) {
    return std::string(dataDirectory()) + "/" + name;
}

void saveExtents(bool isLast) {
    UNID logId{};
    DWORD number = 0;
    char path[4096];
    CHECK_OK(NSFBeginArchivingLogs());
    while (ERR(NSFGetNextLogToArchive(&logId, &number, path)) == 0) {
        fs::copy_file(path, saved(fs::path(path).filename().string()), fs::copy_options::overwrite_existing);
        CHECK_OK(NSFDoneArchivingLog(&logId, &number));
    }
    if (isLast) {  // the current extent, which is incomplete
        fs::copy_file(path, saved(fs::path(path).filename().string()), fs::copy_options::overwrite_existing);
    }
    CHECK_OK(NSFEndArchivingLogs());
}

void backUp() {
    DHANDLE db = 0;
    DHANDLE context = 0;
    DWORD size = 0;
    startBackup(kName, &db, &context, &size);
    pauseHere();
    finishBackup(db, context, size, saved("backup").c_str());
    saveExtents(false);
    pauseHere();
    saveExtents(true);
}

void recoverAll() {
    WORD index = 0;
    const std::string names = inData(kName) + '\0';
    CHECK_OK(NSFRecoverDatabases(names.c_str(), nullptr, 0, &index, nullptr));
    DHANDLE db = 0;
    CHECK_OK(NSFDbOpen(kName, &db));
    CHECK_OK(NSFDbClose(db));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) {  // a runtime is initialised only once, so each part runs in its own process
        simulationInit();
        std::string(argv[1]) == "backup" ? backUp() : recoverAll();
        NotesTerm();
        return 0;
    }
    simulationCreate("--databases 1 --plain-names --log archive --unlogged-share 0 --set SIM_LOG_EXTENT_BYTES=65536");
    fs::create_directories(saved("."));
    serverStart("--threads 0");
    AgainProcess* backup = startAgain("backup");
    serverAsk("run %s 1000", kName);
    continueAgain(backup);
    serverAsk("run %s 1000", kName);
    CHECK(finishAgain(backup) == 0);
    serverStop();

    CHECK(simTool("destroy --data %s", dataDirectory()) == 0);
    fs::remove_all(inData("logdir"));
    fs::remove(inData(kName));
    fs::create_directories(inData("logdir"));
    fs::copy_file(saved("backup"), inData(kName));
    fs::remove(saved("backup"));
    for (const fs::directory_entry& extent : fs::directory_iterator(saved("."))) {
        fs::copy_file(extent.path(), fs::path(inData("logdir")) / extent.path().filename());
    }
    std::ofstream(inData("notes.ini"), std::ios::app) << "TRANSLOG_Recreate_Logctrl=1\n";
    CHECK(runAgain("recover") == 0);
    CHECK(verify("--sequence 2000 %s", inData(kName).c_str()) == 0);
    simulationDestroy();
    return 0;
}
