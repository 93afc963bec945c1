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

/** The object behind a database handle. */
struct OpenDatabase {
    OpenKind kind = OpenKind::database;
    std::uint64_t thread = 0;
    ResolvedPath path;
    NetPath remote;
    std::shared_ptr<Database> database;  // null for directories and remote databases
};

struct BackupContext {
    std::uint64_t thread = 0;
    Handle handle = 0;  // the database handle it was created with
    std::shared_ptr<Database> database;
    std::uint64_t id = 0;
    std::unique_ptr<ChangeStreamReader> reader;
};

struct ApplyContext {
    std::unique_ptr<ChangeSink> sink;
    std::unique_ptr<ChangeStreamDecoder> decoder;
    std::function<void()> finish;  // called after the last piece
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
    std::vector<std::unique_ptr<Environment>> environments_;  // kept, because a late thread may still use them
    bool wasTerminated_ = false;
    std::uint32_t nested_ = 0;
    std::atomic<std::uint64_t> nextThread_{1};
    std::atomic<std::int64_t> threads_{0};
};

/** The open database of a handle; applies the rules for foreign threads and unknown handles. Throws StatusError. */
std::shared_ptr<OpenDatabase> requireHandle(Handle handle);

/** Like requireHandle, for calls that need a local database. */
std::shared_ptr<OpenDatabase> requireLocalDatabase(Handle handle);

/** Closes a handle. By the settings, a backup that was not ended stays or ends. */
void closeHandle(Environment& environment, Handle handle);

/** Ends the process like Domino's PANIC. */
[[noreturn]] void panic(const char* why);

}  // namespace domino_sim
