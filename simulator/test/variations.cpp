// The settings for uncertain behaviour of the real library, and NSFBackupStart waiting for a running transaction.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "domino.h"
#include "harness.h"

namespace {

const char* const kName = "mail/db000000.nsf";

void set(const char* assignments) {
    CHECK(simTool("set --ini %s/notes.ini %s", dataDirectory(), assignments) == 0);
}

struct Backup {
    DHANDLE db = 0;
    DHANDLE context = 0;
    DWORD size = 0;

    Backup() {
        DWORD high = 0;
        CHECK_OK(NSFDbOpen(kName, &db));
        CHECK_OK(NSFBackupStart(db, 0, &context, &size, &high));
    }
    ~Backup() {
        CHECK_OK(NSFBackupEnd(db, context, BACKUPEND_ABORT));
        CHECK_OK(NSFDbClose(db));
    }
    std::string path() const {
        char text[4096];
        CHECK_OK(NSFDbPathGet(db, nullptr, text));
        return text;
    }
    /** The pieces returned with buffers of this size. */
    std::vector<std::string> drain(DWORD bufferSize) const {
        std::vector<std::string> pieces;
        std::string buffer(bufferSize, '\0');
        for (DWORD filled = 1; filled != 0;) {
            CHECK_OK(NSFBackupGetNextChangeInfo(db, context, 0, buffer.data(), bufferSize, &filled));
            if (filled != 0) {
                pieces.push_back(buffer.substr(0, filled));
            }
        }
        return pieces;
    }
};

DWORD totalOf(const std::vector<std::string>& pieces) {
    std::size_t total = 0;
    for (const std::string& piece : pieces) {
        total += piece.size();
    }
    return static_cast<DWORD>(total);
}

std::string copyPath() {
    return std::string(testDirectory()) + "/copy.nsf";
}

STATUS apply(std::vector<std::string> pieces) {
    DHANDLE context = 0;
    std::string copy = copyPath();
    CHECK_OK(NSFBackupStartApplyChangeInfo(&context, copy.data(), 0, totalOf(pieces), 0));
    STATUS status = 0;
    for (std::string& piece : pieces) {
        status = status == 0
                     ? ERR(NSFBackupApplyNextChangeInfo(context, 0, piece.data(), static_cast<DWORD>(piece.size())))
                     : status;
    }
    CHECK_OK(NSFBackupEndApplyChangeInfo(context, status == 0 ? 0 : APPLYEND_ABORT));
    return status;
}

void startWaitsForTransaction() {
    using Clock = std::chrono::steady_clock;
    serverAsk("hold %s 1", kName);
    Clock::time_point started;
    std::thread waiting([&] {
        CHECK_OK(NotesInitThread());
        {
            const Backup backup;
            started = Clock::now();
            copyFile(backup.path().c_str(), copyPath().c_str(), backup.size, nullptr, nullptr);
            CHECK_OK(NSFBackupStop(backup.db, backup.context));
        }
        NotesTermThread();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const auto released = Clock::now();
    serverAsk("release %s", kName);
    waiting.join();
    CHECK(started > released);
    CHECK(verify("%s", copyPath().c_str()) == 0);
}

void shortPieces() {
    const Backup backup;
    DWORD filled = 0;
    char byte = 0;
    serverAsk("run %s 5", kName);
    copyFile(backup.path().c_str(), copyPath().c_str(), backup.size, nullptr, nullptr);
    CHECK_STATUS(NSFBackupGetNextChangeInfo(backup.db, backup.context, 0, &byte, 1, &filled), 0x0EA5);
    set("SIM_CHANGES_BEFORE_STOP=empty");
    CHECK_OK(NSFBackupGetNextChangeInfo(backup.db, backup.context, 0, &byte, 1, &filled));
    CHECK(filled == 0);
    CHECK_OK(NSFBackupStop(backup.db, backup.context));
    set("SIM_SHORT_PIECES=1000 SIM_MINIMUM_BUFFER=512");
    CHECK_STATUS(NSFBackupGetNextChangeInfo(backup.db, backup.context, 0, &byte, 1, &filled), 0x0107);
    const auto pieces = backup.drain(65536);
    CHECK(pieces.size() > 1 && pieces.front().size() == 1000);
    CHECK(apply(pieces) == 0);
    CHECK(verify("%s", copyPath().c_str()) == 0);
    set("SIM_SHORT_PIECES= SIM_MINIMUM_BUFFER= SIM_CHANGES_BEFORE_STOP=");
}

void recordBoundaries() {
    const Backup backup;
    serverAsk("run %s 5", kName);
    copyFile(backup.path().c_str(), copyPath().c_str(), backup.size, nullptr, nullptr);
    CHECK_OK(NSFBackupStop(backup.db, backup.context));
    set("SIM_CHUNK_BOUNDARIES=records");
    const auto pieces = backup.drain(10000);
    std::vector<std::string> cut = pieces;
    cut.insert(cut.begin() + 1, cut[0].substr(100));
    cut[0].resize(100);
    CHECK(apply(cut) == 0x0EA7);
    CHECK(apply(pieces) == 0);
    CHECK(verify("%s", copyPath().c_str()) == 0);
    set("SIM_CHUNK_BOUNDARIES=");
}

struct Decoded {
    std::vector<char> image;
    unsigned writes = 0;
};

STATUS collect(void* parameter, DWORD high, DWORD low, DWORD size, char* buffer) {
    auto& decoded = *static_cast<Decoded*>(parameter);
    CHECK(high == 0 && low + size <= decoded.image.size());
    std::memcpy(decoded.image.data() + low, buffer, size);
    ++decoded.writes;
    return 0;
}

void decodedWrites() {
    const Backup backup;
    Decoded decoded;
    serverAsk("run %s 5", kName);
    copyFile(backup.path().c_str(), copyPath().c_str(), backup.size, nullptr, nullptr);
    CHECK_OK(NSFBackupStop(backup.db, backup.context));
    auto pieces = backup.drain(65536);
    decoded.image.resize(backup.size);
    std::FILE* file = std::fopen(copyPath().c_str(), "r+b");
    CHECK(file != nullptr && std::fread(decoded.image.data(), 1, backup.size, file) == backup.size);
    DHANDLE context = 0;
    CHECK_OK(NSFBackupStartApplyChangeInfoWithCallback(&context, collect, &decoded, 0, totalOf(pieces), 0));
    for (std::string& piece : pieces) {
        CHECK_OK(NSFBackupApplyNextChangeInfo(context, 0, piece.data(), static_cast<DWORD>(piece.size())));
    }
    CHECK_OK(NSFBackupEndApplyChangeInfo(context, 0));
    CHECK(decoded.writes > 1);
    std::rewind(file);
    CHECK(std::fwrite(decoded.image.data(), 1, backup.size, file) == backup.size && std::fclose(file) == 0);
    CHECK(verify("%s", copyPath().c_str()) == 0);
}

void longerCopies() {
    const Backup backup;
    serverAsk("run %s 200", kName);  // some of these append pages
    copyFile(backup.path().c_str(), copyPath().c_str(), backup.size + 4096, nullptr, nullptr);
    CHECK_OK(NSFBackupStop(backup.db, backup.context));
    const auto pieces = backup.drain(65536);
    CHECK(apply(pieces) == 0);
    CHECK(verify("%s", copyPath().c_str()) == 1);  // by default, appended pages are not cut off
    set("SIM_APPLY_TRUNCATES=1");
    CHECK(apply(pieces) == 0);
    CHECK(verify("%s", copyPath().c_str()) == 0);
    set("SIM_APPLY_TRUNCATES=");
}

void otherThreadsAndHandles() {
    const Backup backup;
    set("SIM_CONTEXT_OTHER_THREAD=allow SIM_CONTEXT_OTHER_HANDLE=allow");
    std::thread([&] {
        DHANDLE twin = 0;
        CHECK_OK(NotesInitThread());
        CHECK_OK(NSFDbReopen(backup.db, &twin));
        CHECK_OK(NSFBackupStop(twin, backup.context));
        CHECK_OK(NSFDbClose(twin));
        NotesTermThread();
    }).join();
    set("SIM_CONTEXT_OTHER_THREAD= SIM_CONTEXT_OTHER_HANDLE=");
}

void unloggedDatabases() {
    DHANDLE db = 0;
    BOOL32 logged = 1;
    UNID logId{};
    UNID dbiid{};
    DWORD extent = 7;
    CHECK_OK(NSFDbOpen("mail/db000001.nsf", &db));
    CHECK_OK(NSFDbGetLogInfo(db, 0, &logged, &logId, &dbiid, &extent));
    CHECK(logged == 0 && extent == 0xE5E5E5E5);
    set("SIM_UNLOGGED_LOGINFO=zero SIM_LOGINFO_OUTSIDE_BACKUP=error");
    CHECK_STATUS(NSFDbGetLogInfo(db, 0, &logged, &logId, &dbiid, &extent), 0x0EA5);
    set("SIM_UNLOGGED_LOGINFO= SIM_LOGINFO_OUTSIDE_BACKUP=");
    CHECK_OK(NSFDbClose(db));
}

void cachedDatabases() {
    const std::string path = std::string(dataDirectory()) + "/mail/db000001.nsf";
    set("SIM_SERVER_CACHE=10");
    serverAsk("run mail/db000001.nsf 1");
    CHECK_STATUS(NSFTakeDatabaseOffline(path.c_str(), 10, OFFLINE_NODELETE), 0x13EA);
    serverAsk("dbcache-flush");
    CHECK_OK(NSFTakeDatabaseOffline(path.c_str(), 10, OFFLINE_NODELETE));
    CHECK_STATUS(NSFTakeDatabaseOffline(path.c_str(), 10, OFFLINE_NODELETE), 0x13F9);
    CHECK_OK(NSFBringDatabaseOnline("mail/db000001.nsf", 0));
    set("SIM_SERVER_CACHE=");
}

void latency() {
    using Clock = std::chrono::steady_clock;
    set("SIM_LATENCY_NSFBackupStart_US=30000 SIM_SERIALISED_SHARE=0.5");
    const auto begin = Clock::now();
    const Backup backup;
    CHECK(Clock::now() - begin >= std::chrono::milliseconds(30));
    set("SIM_LATENCY_NSFBackupStart_US= SIM_SERIALISED_SHARE=");
    CHECK(simTool("set --ini %s/notes.ini SIM_NO_SUCH_THING=1", dataDirectory()) == 2);
}

}  // namespace

int main() {
    simulationCreate("--databases 2 --plain-names --pages 20:20 --unlogged-share 1");
    serverStart("--threads 0");
    simulationInit();
    startWaitsForTransaction();
    shortPieces();
    recordBoundaries();
    decodedWrites();
    longerCopies();
    otherThreadsAndHandles();
    unloggedDatabases();
    cachedDatabases();
    latency();
    NotesTerm();
    simulationDestroy();
    return 0;
}
