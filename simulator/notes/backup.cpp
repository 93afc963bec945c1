#include "backup.h"

#include <filesystem>

#include "timedate.h"
#include "translog.h"
#include "utf8_path.h"

namespace domino_sim {

namespace {

std::uint64_t newBackupId() {
    const Unid id = uniqueUnid();
    return mix((static_cast<std::uint64_t>(id.file.innards[0]) << 32) | id.note.innards[0], id.note.innards[1]) | 1;
}

void removeChangeFile(Database& database) {
    std::error_code ignored;
    std::filesystem::remove(pathOf(changeFilePath(*database.environment().partition, database.slot())), ignored);
}

void clearMarker(Database& database) {
    HeaderPage header = database.readHeaderLocked();
    if (header.backupId != 0) {
        header.backupId = 0;
        database.writeHeaderLocked(header);
    }
}

/** Domino gives up a backup that takes too long. Call with the state lock held. */
void noticeTimeout(const Environment& environment, BackupRecord& backup) {
    const double timeoutMs = environment["SIM_BACKUP_TIMEOUT_MS"_setting];
    const double ageMs = static_cast<double>(platform::monotonicNs() - backup.startedNs) / 1e6;
    if (backup.state == BackupState::recording && backup.abortedWith == kNoError && timeoutMs > 0 &&
        ageMs > timeoutMs) {
        backup.abortedWith = kBackupAbortedTimeout;
    }
}

/** Ends recording first, so that the write of the header page is not recorded. Call with the state lock held. */
void forget(Database& database) {
    BackupRecord& backup = database.slot().backup;
    removeChangeFile(database);
    backup.state = BackupState::none;
    backup.id = 0;
    clearMarker(database);
}

void requireNoCompact(const Slot& slot) {
    if (slot.compactingUntilNs < 0 || slot.compactingUntilNs > platform::monotonicNs()) {
        throw StatusError(kCompacting);
    }
}

/** Clears an old backup if the rules allow it; otherwise throws. Call with the state lock held. */
void requireNoBackup(Database& database) {
    Environment& environment = database.environment();
    BackupRecord& backup = database.slot().backup;
    if (backup.state == BackupState::none) {
        return;
    }
    noticeTimeout(environment, backup);
    const bool isDead = !environment.partition->isAlive(backup.owner);
    if (backup.abortedWith != kNoError || (isDead && environment.settings.is("SIM_DEAD_OWNER"_setting, "released"))) {
        forget(database);
        return;
    }
    throw StatusError(kBackupAlreadyInProgress);
}

class WaitingMark {
public:
    explicit WaitingMark(Slot& slot) : slot_(&slot) { slot_->startsWaiting.fetch_add(1); }
    WaitingMark(const WaitingMark&) = delete;
    WaitingMark& operator=(const WaitingMark&) = delete;
    ~WaitingMark() { slot_->startsWaiting.fetch_sub(1); }

private:
    Slot* slot_;
};

TransactionLock waitForTransaction(Database& database) {
    const WaitingMark waiting(database.slot());
    return TransactionLock(database);
}

}  // namespace

BackupStart startBackup(Database& database) {
    Environment& environment = database.environment();
    Slot& slot = database.slot();
    {
        const platform::RobustLock lock(slot.state);  // so that a refusal does not wait for a running transaction
        requireNoCompact(slot);
        requireNoBackup(database);
    }
    const std::uint32_t logExtent = isServerLogged(environment) ? logPosition(environment).currentExtent : 0;
    const TransactionLock transaction = waitForTransaction(database);
    const platform::RobustLock lock(slot.state);
    requireNoCompact(slot);
    requireNoBackup(database);
    HeaderPage header = database.readHeaderLocked();
    const BackupStart start{newBackupId(), database.file().sizeBytes()};
    header.backupId = start.id;
    header.backupStartBytes = start.startBytes;
    header.backupTime = currentTimeDate();
    header.backupLogExtent = logExtent;
    database.writeHeaderLocked(header);  // part of the image, because recording has not begun
    if (environment.isOn("SIM_SYNC"_setting)) {
        database.file().sync();
    }
    BackupRecord& backup = slot.backup;
    backup.abortedWith = kNoError;
    backup.id = start.id;
    backup.owner = environment.partition->self();
    backup.ownerHandleGone = 0;
    backup.startBytes = start.startBytes;
    backup.highWaterMark = 0;
    backup.changeBytes = 0;
    backup.startedNs = platform::monotonicNs();
    backup.logExtent = logExtent;
    backup.state = BackupState::recording;
    return start;
}

void requireBackup(Database& database, std::uint64_t id, bool mustBeStopped) {
    Slot& slot = database.slot();
    const platform::RobustLock lock(slot.state);
    if (slot.backup.state == BackupState::none || slot.backup.id != id) {
        throw StatusError(kNotDoingBackup);
    }
    noticeTimeout(database.environment(), slot.backup);
    if (slot.backup.abortedWith != kNoError) {
        throw StatusError(slot.backup.abortedWith);
    }
    if (mustBeStopped && slot.backup.state != BackupState::stopped) {
        throw StatusError(kNotDoingBackup);
    }
}

void stopBackup(Database& database, std::uint64_t id) {
    requireBackup(database, id, false);
    Slot& slot = database.slot();
    const platform::RobustLock lock(slot.state);
    if (slot.backup.state != BackupState::recording) {
        throw StatusError(kNotDoingBackup);
    }
    slot.backup.state = BackupState::stopped;
    HeaderPage header = database.readHeaderLocked();
    header.backupId = 0;
    header.completedTime = header.backupTime;
    header.completedLogExtent = header.backupLogExtent;
    database.writeHeaderLocked(header);
}

void setHighWaterMark(Database& database, std::uint64_t id, std::uint64_t mark) {
    requireBackup(database, id, false);
    database.slot().backup.highWaterMark.store(mark, std::memory_order_release);
}

bool releaseBackup(Database& database, std::uint64_t id) {
    Slot& slot = database.slot();
    const platform::RobustLock lock(slot.state);
    if (slot.backup.state == BackupState::none || slot.backup.id != id) {
        return false;
    }
    forget(database);
    return true;
}

void releaseForeignBackup(Database& database) {
    Environment& environment = database.environment();
    Slot& slot = database.slot();
    const platform::RobustLock lock(slot.state);
    if (slot.backup.state == BackupState::none) {
        throw StatusError(kNotDoingBackup);
    }
    const bool isOwnerless = slot.backup.ownerHandleGone != 0 || !environment.partition->isAlive(slot.backup.owner);
    const bool isAllowed = environment.settings.is("SIM_FOREIGN_ABORT"_setting, "always") ||
                           (isOwnerless && environment.settings.is("SIM_FOREIGN_ABORT"_setting, "dead"));
    if (!isAllowed) {
        throw StatusError(kNotDoingBackup);
    }
    forget(database);
}

void abandonBackup(Database& database, std::uint64_t id) {
    Slot& slot = database.slot();
    const platform::RobustLock lock(slot.state);
    if (slot.backup.id == id) {
        slot.backup.ownerHandleGone = 1;
    }
}

void requireMaintenanceAllowed(const Environment& environment, const Slot& slot) {
    if (slot.backup.state == BackupState::recording &&
        environment.settings.is("SIM_MAINTENANCE_DURING_BACKUP"_setting, "refuse")) {
        throw StatusError(kNsfInUse);
    }
}

}  // namespace domino_sim
