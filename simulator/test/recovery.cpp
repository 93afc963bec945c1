// Restore and roll-forward: several databases at once, point in time, new ids, archived extents, errors.
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "domino.h"
#include "harness.h"

namespace fs = std::filesystem;

namespace {

enum Flags : DWORD { wait = 1, zapId = 2, refreshBackup = 4, pointInTime = 8, zapReplicaId = 16, zapIfNecessary = 32 };

std::string inData(const std::string& name) {
    return std::string(dataDirectory()) + "/" + name;
}

struct LogInfo {
    BOOL32 logged = 0;
    UNID logId{};
    UNID dbiid{};
    DWORD extent = 0;
};

bool isSame(const UNID& left, const UNID& right) {
    return std::memcmp(&left, &right, sizeof left) == 0;
}

LogInfo logInfo(const std::string& name) {
    DHANDLE db = 0;
    LogInfo info;
    CHECK_OK(NSFDbOpen(name.c_str(), &db));
    CHECK_OK(NSFDbGetLogInfo(db, 0, &info.logged, &info.logId, &info.dbiid, &info.extent));
    CHECK_OK(NSFDbClose(db));
    return info;
}

// A complete backup of one database, with two transactions meanwhile.
void backUp(const std::string& name, const std::string& copy) {
    DHANDLE db = 0;
    DHANDLE context = 0;
    DWORD size = 0;
    startBackup(name.c_str(), &db, &context, &size);
    serverAsk("run %s 2", name.c_str());
    finishBackup(db, context, size, copy.c_str());
}

std::string list(const std::vector<std::string>& names) {
    std::string result;
    for (const std::string& name : names) {
        result += name + '\0';
    }
    return result;  // its own NUL is the second one
}

STATUS recover(const std::vector<std::string>& names, DWORD flags, WORD* errorIndex = nullptr, TIMEDATE* time = nullptr,
               STATUS (*restore)(UNID*, DWORD, char*) = nullptr) {
    return ERR(NSFRecoverDatabases(list(names).c_str(), restore, flags, errorIndex, time));
}

void restoreOverOriginals() {
    const std::array<std::string, 3> names{"mail/db000000.nsf", "mail/db000001.nsf", "mail/db000002.nsf"};
    std::vector<std::string> paths;
    std::vector<LogInfo> before;
    for (const std::string& name : names) {
        serverAsk("run %s 5", name.c_str());
        backUp(name, inData(name) + ".backup");
        serverAsk("run %s 7", name.c_str());
        before.push_back(logInfo(name));
        paths.push_back(inData(name));
    }
    DHANDLE db = 0;
    CHECK_OK(NSFDbOpen(names[0].c_str(), &db));
    CHECK_STATUS(NSFTakeDatabaseOffline(paths[0].c_str(), 20, 0), 0x13EA);  // it is open in this process
    CHECK_OK(NSFDbClose(db));
    CHECK_STATUS(NSFTakeDatabaseOffline(names[0].c_str(), 0, 0), 0x014B);  // not a full path
    CHECK_STATUS(NSFTakeDatabaseOffline(inData("mail.box").c_str(), 20, 0), 0x0103);
    for (std::size_t i = 0; i < names.size(); ++i) {
        CHECK_OK(NSFTakeDatabaseOffline(paths[i].c_str(), 1000, 0));
        CHECK(!fs::exists(paths[i]));  // option 0 deletes the file
        fs::rename(paths[i] + ".backup", paths[i]);
        CHECK_STATUS(NSFDbOpen(names[i].c_str(), &db), 0x13F9);
    }
    WORD errorIndex = 99;
    TIMEDATE last{};
    CHECK(recover(paths, 0, &errorIndex, &last) == 0);
    CHECK(errorIndex == 0 && last.Innards[1] != 0);
    for (std::size_t i = 0; i < names.size(); ++i) {
        CHECK_OK(NSFBringDatabaseOnline(paths[i].c_str(), 0));
        CHECK(isSame(logInfo(names[i]).dbiid, before[i].dbiid));
        CHECK(verify("--sequence 14 %s", paths[i].c_str()) == 0);  // 5, 2 during the backup, 7
        serverAsk("run %s 1", names[i].c_str());                   // it is a normal database again
        CHECK(verify("--sequence 15 %s", paths[i].c_str()) == 0);
    }
}

void oneBadAmongSeveral() {
    const std::string good = inData("good.nsf");
    const std::string opened = inData("opened.nsf");
    backUp("mail/db000000.nsf", good);
    backUp("mail/db000001.nsf", opened);
    LogInfo info = logInfo("opened.nsf");  // after opening, a copy is no longer a backup
    WORD errorIndex = 0;
    CHECK(recover({good, opened}, zapId, &errorIndex) == 0x13FA);
    CHECK(errorIndex == 2);
    CHECK(recover({good}, refreshBackup | zapId) == 0x0208);
    CHECK(recover({good}, 0, &errorIndex) == 0x13F4 && errorIndex == 1);  // the original is online
    CHECK(recover({good}, refreshBackup) == 0);                           // rolled forward, still a backup
    serverAsk("run mail/db000000.nsf 3");
    CHECK(recover({good}, zapIfNecessary) == 0);
    info = logInfo("good.nsf");
    CHECK(!isSame(info.dbiid, logInfo("mail/db000000.nsf").dbiid));
    CHECK(recover({good}, zapId, &errorIndex) == 0x13FA);
    CHECK(recover({inData("missing.nsf")}, zapId, &errorIndex) == 0x0103 && errorIndex == 1);
    DHANDLE db = 0;
    CHECK_OK(NSFDbOpen("mail/db000000.nsf", &db));
    DWORD needed = 0;
    CHECK_OK(NSFIsNewBackupNeeded("mail/db000000.nsf", 0, &needed));
    CHECK(needed > 0);
    CHECK_STATUS(NSFIsNewBackupNeeded("mail/db000003.nsf", 0, &needed), 0x13FA);  // never backed up
    CHECK_OK(NSFDbClose(db));
}

void toAPointInTime() {
    const std::string copy = inData("intime.nsf");
    TIMEDATE early{};
    OSCurrentTIMEDATE(&early);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    serverAsk("run mail/db000003.nsf 4");
    backUp("mail/db000003.nsf", copy);  // transactions 5 and 6 come after the start
    TIMEDATE time{};
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    OSCurrentTIMEDATE(&time);
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    serverAsk("run mail/db000003.nsf 9");
    TIMEDATE wanted = early;
    CHECK(recover({copy}, pointInTime, nullptr, &wanted) == 0x13EB);
    wanted = time;
    CHECK(recover({copy}, pointInTime | zapReplicaId, nullptr, &wanted) == 0);
    CHECK(verify("--sequence 6 %s", copy.c_str()) == 0);
    CHECK(!isSame(logInfo("intime.nsf").dbiid, logInfo("mail/db000003.nsf").dbiid));
    DHANDLE db = 0;
    DBREPLICAINFO original{};
    DBREPLICAINFO recovered{};
    CHECK_OK(NSFDbOpen("mail/db000003.nsf", &db));
    CHECK_OK(NSFDbReplicaInfoGet(db, &original));
    CHECK_OK(NSFDbClose(db));
    CHECK_OK(NSFDbOpen("intime.nsf", &db));
    CHECK_OK(NSFDbReplicaInfoGet(db, &recovered));
    CHECK_OK(NSFDbClose(db));
    CHECK(std::memcmp(&original.ID, &recovered.ID, sizeof original.ID) != 0);
}

std::atomic<int> restored{0};
std::atomic<bool> isHolding{false};

std::string archivePath(DWORD number) {
    return std::string(testDirectory()) + "/archive/" + std::to_string(number);
}

STATUS bringBack(UNID*, DWORD number, char* path) {
    std::error_code error;
    fs::copy_file(archivePath(number), path, error);
    ++restored;
    while (isHolding) {
        std::this_thread::yield();
    }
    return error ? 0x0103 : 0;
}

void archiveEverything() {
    UNID logId{};
    DWORD number = 0;
    char path[4096];
    WORD style = 99;
    CHECK_OK(NSFGetTransLogStyle(&style));
    CHECK(style == 1);
    fs::create_directories(fs::path(archivePath(0)).parent_path());
    CHECK_OK(NSFBeginArchivingLogs());
    CHECK_STATUS(NSFBeginArchivingLogs(), 0x0EAE);
    CHECK_OK(NSFGetFirstLogToArchive(&logId, &number, path));
    const DWORD first = number;
    CHECK_OK(NSFGetNextLogToArchive(&logId, &number, path));
    CHECK(number == first + 1);
    CHECK_OK(NSFEndArchivingLogs());
    CHECK_STATUS(NSFGetFirstLogToArchive(&logId, &number, path), 0x13DC);  // without NSFBeginArchivingLogs
    // An extent that was handed out and is not done is skipped until NSFGetFirstLogToArchive is called again.
    CHECK_OK(NSFBeginArchivingLogs());
    while (ERR(NSFGetNextLogToArchive(&logId, &number, path)) == 0) {
        CHECK(number > first + 1);
    }
    CHECK_OK(NSFGetFirstLogToArchive(&logId, &number, path));
    CHECK(number == first);
    while (ERR(NSFGetFirstLogToArchive(&logId, &number, path)) == 0) {
        fs::copy_file(path, archivePath(number));
        CHECK_OK(NSFDoneArchivingLog(&logId, &number));
        CHECK_STATUS(NSFDoneArchivingLog(&logId, &number), 0x13DC);
    }
    CHECK_STATUS(NSFGetFirstLogToArchive(&logId, &number, path), 0x13DE);  // returns the current extent anyway
    CHECK(fs::exists(path));
    CHECK_OK(NSFEndArchivingLogs());
    CHECK_STATUS(NSFDoneArchivingLog(&logId, &number), 0x13DC);
}

void throughArchivedExtents() {
    const std::string copy = inData("far.nsf");
    const std::string spoilt = inData("spoilt.nsf");
    backUp("mail/db000000.nsf", copy);
    fs::copy_file(copy, spoilt);
    const DWORD extentThen = logInfo("mail/db000000.nsf").extent;
    serverAsk("run mail/db000001.nsf 1200");
    CHECK(logInfo("mail/db000000.nsf").extent > extentThen + 1);
    archiveEverything();
    serverAsk("run mail/db000001.nsf 900");
    serverAsk("run mail/db000000.nsf 3");
    CHECK(!fs::exists(inData("logdir/S0000000.TXN")));
    WORD errorIndex = 99;
    const std::string shortened = inData("shortened.nsf");
    fs::copy_file(copy, shortened);
    fs::copy_file(archivePath(extentThen), archivePath(extentThen) + ".whole");
    fs::resize_file(archivePath(extentThen), 40'000);
    CHECK(recover({shortened}, zapId, nullptr, nullptr, bringBack) == 0x13E3);
    fs::rename(archivePath(extentThen) + ".whole", archivePath(extentThen));
    fs::remove(inData("logdir/S0000000.TXN"));
    restored = 0;
    CHECK(recover({spoilt}, zapId, &errorIndex) == 0x13E3 && errorIndex == 0);
    CHECK(recover({spoilt}, zapId, &errorIndex, nullptr, bringBack) == 0x13C1);  // rolled forward half way
    restored = 0;

    // Meanwhile, another recovery is refused or waits.
    isHolding = true;
    std::thread first([&] {
        CHECK_OK(NotesInitThread());
        CHECK(recover({copy}, zapId, nullptr, nullptr, bringBack) == 0);
        NotesTermThread();
    });
    while (restored == 0) {
        std::this_thread::yield();
    }
    CHECK(recover({spoilt}, zapId) == 0x13E8);
    std::thread second([&] {
        CHECK_OK(NotesInitThread());
        CHECK(recover({spoilt}, zapId | wait) == 0x13C1);
        NotesTermThread();
    });
    isHolding = false;
    first.join();
    second.join();
    const std::string original =
        simOutput("verify --json --log %s/log %s", testDirectory(), inData("mail/db000000.nsf").c_str());
    const auto at = original.find("\"sequence\":") + std::strlen("\"sequence\":");
    const std::string sequence = original.substr(at, original.find_first_not_of("0123456789", at) - at);
    CHECK(verify("--sequence %s %s", sequence.c_str(), copy.c_str()) == 0);
}

void twoHistories() {
    // The original is lost; its copy takes its place and is used without recovery. So the log contains two histories of
    // one instance. A roll-forward must follow one of them without mixing them.
    const std::string name = "mail/db000001.nsf";
    const std::string copy = inData("histories.nsf");
    backUp(name, copy);  // two transactions follow
    CHECK_OK(NSFTakeDatabaseOffline(inData(name).c_str(), 1000, 0));
    fs::copy_file(copy, inData(name));
    CHECK_OK(NSFBringDatabaseOnline(inData(name).c_str(), 0));
    serverAsk("run %s 5", name.c_str());
    CHECK(verify("%s", inData(name).c_str()) == 0);
    CHECK(recover({copy}, zapId) == 0);
    CHECK(verify("%s", copy.c_str()) == 0);
}

void newInstanceIds() {
    const UNID before = logInfo("mail/db000002.nsf").dbiid;
    serverAsk("compact mail/db000002.nsf 1");
    CHECK(isSame(logInfo("mail/db000002.nsf").dbiid, before));  // in place: the same instance
    serverAsk("compact-copy mail/db000002.nsf");
    const UNID compacted = logInfo("mail/db000002.nsf").dbiid;
    CHECK(!isSame(compacted, before));
    serverAsk("fixup mail/db000002.nsf");
    CHECK(!isSame(logInfo("mail/db000002.nsf").dbiid, compacted));
    CHECK(verify("%s", inData("mail/db000002.nsf").c_str()) == 0);
}

}  // namespace

int main() {
    simulationCreate("--databases 4 --plain-names --log archive --unlogged-share 0 --set SIM_LOG_EXTENT_BYTES=65536");
    serverStart("--threads 0");
    simulationInit();
    restoreOverOriginals();
    oneBadAmongSeveral();
    toAPointInTime();
    throughArchivedExtents();
    newInstanceIds();
    twoHistories();
    NotesTerm();
    simulationDestroy();
    return 0;
}
