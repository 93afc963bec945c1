#pragma once
// The process's side of the C API: initialisation, threads, handles.

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "change_info.h"
#include "database.h"
#include "handles.h"

namespace domino_sim {

enum class OpenKind { database, directory, remote };

/** What a database handle stands for. */
struct OpenDatabase {
    OpenKind kind = OpenKind::database;
    std::uint64_t thread = 0;
    ResolvedPath path;
    NetPath remote;
    std::shared_ptr<Database> database;  // null for directories and remote databases
};

struct BackupContext {
    std::uint64_t thread = 0;
    Handle handle = 0;  // the database handle it was made with
    std::shared_ptr<Database> database;
    std::uint64_t id = 0;
    std::unique_ptr<ChangeStreamReader> reader;
};

struct ApplyContext {
    std::unique_ptr<ChangeSink> sink;
    std::unique_ptr<ChangeStreamDecoder> decoder;
    std::function<void()> finish;  // after the last piece
};

struct MemoryBlock {
    std::vector<std::byte> bytes;
    std::atomic<int> locks{0};
};

class Runtime {
public:
    static Runtime& get();

    void initialise(std::span<const std::string> arguments);
    void terminate();
    void enterThread();
    void leaveThread();

    /** Null before initialisation and after NotesTerm. */
    Environment* environment() const { return environment_.load(std::memory_order_acquire); }

    /** 0 on a thread that was not initialised. */
    std::uint64_t currentThread() const;

    HandleTable<OpenDatabase> databases{HandleKind::database};
    HandleTable<BackupContext> backups{HandleKind::backupContext};
    HandleTable<ApplyContext> applies{HandleKind::applyContext};
    HandleTable<MemoryBlock> memory{HandleKind::memory};
    std::atomic<bool> isArchiving{false};  // between NSFBeginArchivingLogs and NSFEndArchivingLogs

private:
    std::mutex mutex_;
    std::atomic<Environment*> environment_{nullptr};
    std::vector<std::unique_ptr<Environment>> environments_;  // kept: a straggling thread may still look at them
    bool wasTerminated_ = false;
    std::uint32_t nested_ = 0;
    std::atomic<std::uint64_t> nextThread_{1};
    std::atomic<std::int64_t> threads_{0};
};

/** The open database behind a handle, by the rules for foreign threads and unknown handles. Throws StatusError. */
std::shared_ptr<OpenDatabase> requireHandle(Handle handle);

/** As requireHandle, for calls that need a local database. */
std::shared_ptr<OpenDatabase> requireLocalDatabase(Handle handle);

/** Closes a handle the caller may close; a backup left behind stays or ends by setting. */
void closeHandle(Environment& environment, Handle handle);

/** Ends the process as Domino's own PANIC does. */
[[noreturn]] void panic(const char* why);

}  // namespace domino_sim
