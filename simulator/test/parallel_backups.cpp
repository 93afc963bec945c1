// All databases in backup mode at once, from many threads, under the workload of two processes. Every copy has the
// state at its own NSFBackupStart.
#include <cinttypes>
#include <string>
#include <thread>
#include <vector>

#include "domino.h"
#include "harness.h"

namespace {

constexpr unsigned kThreads = 8;
constexpr unsigned kDatabases = 64;

struct Backup {
    std::string name;
    std::string copy;
    DHANDLE db = 0;
    DHANDLE context = 0;
    DWORD size = 0;
    std::int64_t beforeNs = 0;
    std::int64_t afterNs = 0;
};

void backUpShard(std::vector<Backup>& backups, unsigned shard) {
    CHECK_OK(NotesInitThread());
    for (unsigned i = shard; i < backups.size(); i += kThreads) {
        Backup& backup = backups[i];
        backup.beforeNs = monotonicNs();
        startBackup(backup.name.c_str(), &backup.db, &backup.context, &backup.size);
        backup.afterNs = monotonicNs();
    }
    for (unsigned i = shard; i < backups.size(); i += kThreads) {
        const Backup& backup = backups[i];
        finishBackup(backup.db, backup.context, backup.size, backup.copy.c_str());
    }
    NotesTermThread();
}

}  // namespace

int main() {
    simulationCreate(("--plain-names --pages 8:40 --set SIM_SYNC=0 --databases " + std::to_string(kDatabases)).c_str());
    serverStart("--threads 2 --second-process");
    simulationInit();
    std::vector<Backup> backups(kDatabases);
    for (unsigned i = 0; i < kDatabases; ++i) {
        char name[64];
        std::snprintf(name, sizeof name, "mail/db%06u.nsf", i);
        backups[i].name = name;
        backups[i].copy = testDirectory() + ("/" + std::to_string(i));
    }
    {
        std::vector<std::jthread> threads;
        for (unsigned shard = 0; shard < kThreads; ++shard) {
            threads.emplace_back([&, shard] { backUpShard(backups, shard); });
        }
    }
    serverAsk("pause");
    for (const Backup& backup : backups) {
        CHECK(verify("--between %" PRId64 ":%" PRId64 " %s", backup.beforeNs, backup.afterNs, backup.copy.c_str()) ==
              0);
    }
    NotesTerm();
    const std::string stats = simOutput("stats --ini %s/notes.ini", dataDirectory());
    CHECK(stats.find("\"inBackup\":[]") != std::string::npos);
    CHECK(stats.find("\"backupsCompleted\":" + std::to_string(kDatabases)) != std::string::npos);
    for (const char* none : {"leakedDatabaseHandles", "leakedBackupContexts", "leakedApplyContexts", "threadsLeft",
                             "unknownHandles", "foreignThreadHandles", "backupsEndedUndrained"}) {
        CHECK(stats.find("\"" + std::string(none) + "\":0") != std::string::npos);
    }
    simulationDestroy();
    return 0;
}
