#include "database.h"

#include "offline.h"
#include "timedate.h"
#include "transaction.h"
#include "translog.h"

namespace domino_sim {

namespace {

platform::File openFile(const std::string& path) {
    try {
        return platform::File(path, platform::FileMode::readWrite);
    } catch (const std::system_error& error) {
        const Status status = statusOf(error.code());
        if (status != kProtected && status != kAccess) {
            throw;
        }
        return platform::File(path, platform::FileMode::read);  // for example a read-only snapshot
    }
}

}  // namespace

Database::Database(Environment& environment, const ResolvedPath& path, OpenPurpose purpose)
    : environment_(&environment), path_(path) {
    if (purpose == OpenPurpose::user && isOffline(*environment.partition, path.expanded)) {
        throw StatusError(kDatabaseOffline);
    }
    file_ = openFile(path.expanded);
    slot_ = &environment.partition->slotOf(file_.identity());
    const platform::RobustLock lock(slot_->state);
    admit(purpose);
    addHandle(*environment.partition, *slot_);
    if (purpose == OpenPurpose::user && isOffline(*environment.partition, path.expanded)) {
        removeHandle(*environment.partition, *slot_);  // taken offline since the first check
        throw StatusError(kDatabaseOffline);
    }
    isCounted_ = true;
}

Database::~Database() {
    if (isCounted_) {
        const platform::RobustLock lock(slot_->state);
        removeHandle(*environment_->partition, *slot_);
    }
}

/** Applies the rules for opening. Call with the state lock held. */
void Database::admit(OpenPurpose purpose) {
    if (slot_->exclusive != 0) {
        throw StatusError(kExclusivelyOpen);
    }
    HeaderPage header = readHeaderLocked();
    copyPath(slot_->path, path_.expanded);
    if (purpose == OpenPurpose::recovery) {
        return;
    }
    const bool isBackupRunning = slot_->backup.state != BackupState::none && slot_->backup.id == header.backupId;
    const bool isCopy = header.backupId != 0 && !isBackupRunning;
    const bool hasInstance = (header.flags & kHeaderLogged) != 0;
    const bool isOutside = !environment_->isInDataDirectory(path_.expanded);
    if (isCopy && hasInstance && environment_->settings.is("SIM_OPEN_COPY"_setting, "refuse")) {
        throw StatusError(kOpenBackup);
    }
    const bool isOfOtherLog = isLogged(header) && header.logId != logPosition(*environment_).logId;
    if (isCopy || isOfOtherLog || (hasInstance && isOutside)) {
        header.backupId = 0;
        if (hasInstance && isOutside) {
            header.instanceId = uniqueUnid();  // outside the data directory: another instance, not logged there
            header.flags &= ~static_cast<std::uint32_t>(kHeaderLogged);
        } else if (isOfOtherLog || (hasInstance && isInstanceOnline(*environment_, header.instanceId, slot_))) {
            header.instanceId = uniqueUnid();
            header.logId = logPosition(*environment_).logId;
        }
        try {
            writeHeaderLocked(header);
        } catch (const std::system_error&) {
            // A read-only file cannot be changed.
        }
    }
    slot_->instanceId = isLogged(header) ? header.instanceId : Unid{};
}

HeaderPage Database::readHeader() const {
    const platform::RobustLock lock(slot_->state);
    return readHeaderLocked();
}

HeaderPage Database::readHeaderLocked() const {
    HeaderPage header{};
    const std::size_t got = file_.readAt(0, bytesOf(header));
    if (got < sizeof kNsfSignature || !isNsf(header)) {
        throw StatusError(kNotNsf);
    }
    if (got < kPageBytes || !isIntact(header)) {
        throw StatusError(kNsfCorrupt);
    }
    return header;
}

void Database::changeHeader(const std::function<void(HeaderPage&)>& change) {
    const platform::RobustLock lock(slot_->state);
    HeaderPage header = readHeaderLocked();
    change(header);
    writeHeaderLocked(header);
}

void Database::writeHeaderLocked(HeaderPage& header) {
    sealHeader(header);
    saveBeforeImage(*environment_, *slot_, file_, 0);
    file_.writeAt(0, bytesOf(std::as_const(header)));
}

Superblock Database::readSuperblock() const {
    Superblock page{};
    if (file_.readAt(static_cast<std::uint64_t>(kSuperblockPage) * kPageBytes, bytesOf(page)) != kPageBytes ||
        !isIntact(page)) {
        throw StatusError(kNsfCorrupt);
    }
    return page;
}

void Database::writePage(std::uint32_t number, std::span<const std::byte> page) {
    const std::uint64_t offset = static_cast<std::uint64_t>(number) * kPageBytes;
    const platform::RobustLock lock(slot_->state);
    saveBeforeImage(*environment_, *slot_, file_, offset);
    file_.writeAt(offset, page);
}

bool Database::isLogged(const HeaderPage& header) const {
    return (header.flags & kHeaderLogged) != 0 && isServerLogged(*environment_) &&
           environment_->isInDataDirectory(path_.expanded);
}

bool isInstanceOnline(Environment& environment, const Unid& instanceId, const Slot* except) {
    bool isFound = false;
    environment.partition->forEachSlot([&](Slot& slot) {
        isFound = isFound ||
                  (&slot != except && slot.instanceId == instanceId &&
                   platform::identityOf(slot.path) == slot.identity && !isOffline(*environment.partition, slot.path));
    });
    return isFound;
}

TransactionLock::TransactionLock(Database& database) : lock_(database.slot().transaction) {
    if (database.slot().pending.active != 0) {
        completePendingTransaction(database);
    }
}

}  // namespace domino_sim
