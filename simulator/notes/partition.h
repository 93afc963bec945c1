#pragma once
// The memory shared by all processes of one data directory, like the processes of a Domino partition.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "page.h"
#include "platform.h"
#include "settings.h"
#include "status.h"

namespace domino_sim {

inline constexpr std::uint32_t kMaxSlots = 1u << 18;
inline constexpr std::uint32_t kSlotIndexSize = kMaxSlots * 2;
inline constexpr std::uint32_t kMaxProcesses = 4096;
inline constexpr std::uint32_t kMaxOffline = 1u << 17;
inline constexpr std::uint32_t kOfflineIndexSize = kMaxOffline * 2;
inline constexpr std::uint32_t kMaxFaults = 64;
inline constexpr std::uint32_t kMaxUsers = 16;
inline constexpr std::uint32_t kMaxTouchedPages = 32;
inline constexpr std::uint32_t kSharedPathBytes = 560;

/** A process of the partition; never reused; 0 = none. The lower 16 bits are its index in the table. */
using ProcessRef = std::uint64_t;

enum class ProcessRole : std::uint32_t { none, api, server, writer };

struct ProcessEntry {
    std::atomic<ProcessRef> ref;  // 0 = free
    platform::ProcessIdentity identity;
    ProcessRole role;
};

enum class BackupState : std::uint32_t { none, recording, stopped };

/** A database in backup. Guarded by the slot's state lock; the mark is also read without it. */
struct BackupRecord {
    BackupState state;
    Status abortedWith;  // Domino ended the backup
    std::uint64_t id;
    ProcessRef owner;
    std::uint64_t ownerHandleGone;  // 1: the owner closed its handle without ending the backup
    std::uint64_t startBytes;
    std::atomic<std::uint64_t> highWaterMark;
    std::uint64_t changeBytes;  // valid bytes in the change file
    std::int64_t startedNs;
    std::uint32_t logExtent;
};

/** The transaction in progress. A process that finds its writer dead completes it. Guarded by the transaction lock. */
struct PendingTransaction {
    std::atomic<std::uint32_t> active;  // set last, because a writer may die at any moment
    std::uint32_t pageCount;            // of the list below
    std::uint32_t databasePages;
    std::uint64_t sequence;
    std::uint64_t seed;
    std::uint64_t chain;
    TimeDate committed;
    std::uint32_t pages[kMaxTouchedPages];
};

struct SlotUser {
    ProcessRef process;
    std::uint32_t handles;
};

/** The partition's data about a database file. */
struct Slot {
    platform::RobustMutex transaction;  // held for a whole transaction, and by NSFBackupStart
    platform::RobustMutex state;        // held briefly; guards read-modify-write of page 0
    platform::FileIdentity identity;
    std::int64_t compactingUntilNs;            // in-place compact: 0 = none, -1 = until ended
    std::atomic<std::uint32_t> startsWaiting;  // writers let a waiting NSFBackupStart go first
    std::uint32_t exclusive;                   // copy-style compact: the database cannot be opened
    Unid instanceId;                           // of a logged database, once opened
    BackupRecord backup;
    PendingTransaction pending;
    SlotUser users[kMaxUsers];
    char path[kSharedPathBytes];  // expanded path at the last open, UTF-8
};

enum class FaultAction : std::uint32_t { fail, hang, die };

struct Fault {
    std::atomic<std::uint32_t> active;
    std::uint32_t function;
    FaultAction action;
    std::uint32_t after;  // 1: the fault strikes after the call has taken effect
    Status status;
    std::int64_t hangMs;   // -1 = forever
    std::uint64_t nth;     // 0 = every call
    std::uint32_t onward;  // 1: the n-th and all later calls
    std::atomic<std::uint64_t> seen;
    std::atomic<std::uint64_t> fired;
    char glob[256];  // empty = every database
};

/** Mistakes of the programs in the partition. Counters only grow. */
struct Accounting {
    std::atomic<std::uint64_t> crashedParticipants;  // ended without NotesTerm
    std::atomic<std::uint64_t> threadsLeft;          // without NotesTermThread at NotesTerm
    std::atomic<std::uint64_t> leakedDatabaseHandles;
    std::atomic<std::uint64_t> leakedBackupContexts;
    std::atomic<std::uint64_t> leakedApplyContexts;
    std::atomic<std::uint64_t> leakedMemoryHandles;
    std::atomic<std::uint64_t> callsOnForeignThread;  // on threads without NotesInitThread
    std::atomic<std::uint64_t> foreignThreadHandles;
    std::atomic<std::uint64_t> unknownHandles;
    std::atomic<std::uint64_t> backupsEndedUndrained;  // NSFBackupEnd(0) before all change information was read
    std::atomic<std::uint64_t> backupsAborted;
    std::atomic<std::uint64_t> backupsCompleted;
    std::atomic<std::uint64_t> userWritesFailed;  // 0x13A9
};

struct OfflineEntry {
    std::uint64_t pathHash;
    char path[kSharedPathBytes];  // the key
};

struct LogState {
    std::uint32_t loaded;  // the fields below mirror the control file
    std::uint32_t style;
    Unid logId;
    std::uint32_t firstExtent;
    std::uint32_t currentExtent;
    std::uint64_t currentBytes;
    ProcessRef archiver;
    std::uint64_t done[1024];       // archived extents, by number modulo 65536
    std::uint64_t handedOut[1024];  // extents handed out to an archiver, whatever happened to them
};

struct PartitionLayout {
    platform::RobustMutex indexLock;
    platform::RobustMutex processLock;
    platform::RobustMutex faultLock;
    platform::RobustMutex offlineLock;
    platform::RobustMutex logLock;
    platform::RobustMutex recoveryLock;
    platform::RobustMutex serialLock;  // for the part of a latency that Domino serialises
    std::atomic<ProcessRef> server;
    ProcessRef recoverer;
    std::atomic<std::uint64_t> nextProcess;
    std::atomic<std::uint64_t> faultGeneration;  // 0 = no fault was set yet
    std::atomic<std::uint32_t> activeFaults;
    std::atomic<std::uint32_t> offlineCount;
    std::atomic<std::uint32_t> slotCount;
    LiveSettings liveSettings;
    alignas(64) std::atomic<std::uint64_t> calls[kFunctionCount];
    alignas(64) Accounting accounting;
    Fault faults[kMaxFaults];
    LogState log;
    ProcessEntry processes[kMaxProcesses];
    std::atomic<std::uint32_t> slotIndex[kSlotIndexSize];  // slot number + 1
    std::uint32_t offlineUsed;
    std::uint32_t offlineIndex[kOfflineIndexSize];  // entry number + 1
    OfflineEntry offline[kMaxOffline];
    Slot slots[kMaxSlots];
};

class Partition {
public:
    /** `separate`: private to this process, like a program that runs outside the server's environment. */
    Partition(const std::string& dataDirectory, bool separate);
    Partition(const Partition&) = delete;
    Partition& operator=(const Partition&) = delete;
    ~Partition();

    PartitionLayout& layout() { return *static_cast<PartitionLayout*>(memory_.data()); }
    Accounting& accounting() { return layout().accounting; }

    /** Where change information is collected: in memory, one file per database in backup. */
    const std::filesystem::path& directory() const { return directory_; }
    const std::string& serverAddress() const { return serverAddress_; }

    void enroll(ProcessRole role);
    void leave();
    ProcessRef self() const { return self_; }
    bool isAlive(ProcessRef process);
    bool isServerRunning();

    /** Counts the processes that ended without NotesTerm and frees what they held. */
    void sweep();

    /** Finds or creates the slot of a file. A reused file number gets a fresh slot. */
    Slot& slotOf(const platform::FileIdentity& identity);
    void forEachSlot(const std::function<void(Slot&)>& visit);
    std::uint32_t numberOf(const Slot& slot);

    /** Removes the shared memory and files of a data directory's partition. Running processes are disconnected. */
    static void destroy(const std::string& dataDirectory);
    static std::string nameFor(const std::string& dataDirectory);

private:
    std::string name_;
    std::filesystem::path directory_;
    std::string serverAddress_;
    platform::SharedMemory memory_;
    bool separate_;
    ProcessRef self_ = 0;
};

/** The number of open handles of living processes for the slot's file. Call with the state lock held. */
std::uint32_t handlesInUse(Partition& partition, const Slot& slot);
void addHandle(Partition& partition, Slot& slot);
void removeHandle(Partition& partition, Slot& slot);

void copyPath(char (&target)[kSharedPathBytes], const std::string& path);

/** A hash of a string, identical in all processes. */
std::uint64_t hashOf(std::string_view text);

}  // namespace domino_sim
