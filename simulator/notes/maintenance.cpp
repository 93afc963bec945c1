#include "maintenance.h"

#include <filesystem>

#include "backup.h"
#include "timedate.h"
#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

void renewInstance(const Database& database, HeaderPage& header) {
    if (database.isLogged(header)) {
        header.instanceId = uniqueUnid();
    }
}

/** Takes exclusive use of the database for this handle; releases it if the compact fails. */
class ExclusiveUse {
public:
    explicit ExclusiveUse(Database& database) : slot_(&database.slot()) {
        const platform::RobustLock lock(slot_->state);
        requireMaintenanceAllowed(database.environment(), *slot_);
        if (handlesInUse(*database.environment().partition, *slot_) > 1) {
            throw StatusError(kDatabaseInUse);
        }
        slot_->exclusive = 1;
    }
    ExclusiveUse(const ExclusiveUse&) = delete;
    ExclusiveUse& operator=(const ExclusiveUse&) = delete;
    ~ExclusiveUse() {
        const platform::RobustLock lock(slot_->state);
        slot_->exclusive = 0;
    }

private:
    Slot* slot_;
};

}  // namespace

void beginCompactInPlace(Database& database, std::int64_t durationMs) {
    Slot& slot = database.slot();
    const platform::RobustLock lock(slot.state);
    requireMaintenanceAllowed(database.environment(), slot);
    slot.compactingUntilNs = durationMs > 0 ? platform::monotonicNs() + durationMs * 1'000'000 : -1;
    HeaderPage header = database.readHeaderLocked();
    header.lastCompact = currentTimeDate();
    database.writeHeaderLocked(header);
}

void endCompactInPlace(Database& database) {
    const platform::RobustLock lock(database.slot().state);
    database.slot().compactingUntilNs = 0;
}

void compactByCopy(Environment& environment, const ResolvedPath& path) {
    Database database(environment, path, OpenPurpose::user);
    const TransactionLock transaction(database);
    const ExclusiveUse exclusive(database);
    const std::string copyPath = path.expanded + ".compact";
    fs::copy_file(pathOf(path.expanded), pathOf(copyPath), fs::copy_options::overwrite_existing);
    HeaderPage header = database.readHeader();
    renewInstance(database, header);
    header.backupId = 0;
    header.lastCompact = currentTimeDate();
    sealHeader(header);
    {
        const platform::File copy(copyPath, platform::FileMode::readWrite);
        copy.writeAt(0, bytesOf(std::as_const(header)));
        copy.sync();
    }
    database.closeFile();
    fs::rename(pathOf(copyPath), pathOf(path.expanded));
}

void forceFixup(Database& database) {
    const platform::RobustLock lock(database.slot().state);
    requireMaintenanceAllowed(database.environment(), database.slot());
    HeaderPage header = database.readHeaderLocked();
    renewInstance(database, header);
    header.lastFixup = currentTimeDate();
    database.writeHeaderLocked(header);
    database.slot().instanceId = database.isLogged(header) ? header.instanceId : Unid{};
}

}  // namespace domino_sim
