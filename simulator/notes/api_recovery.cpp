// Roll-forward of restored databases.

#include <cstring>

#include "api.h"
#include "lmbcs.h"
#include "recovery.h"
#include "translog.h"

using namespace domino_sim;

namespace {

enum RecoverFlags : std::uint32_t {
    kWait = 0x01,
    kZapId = 0x02,
    kRefreshBackup = 0x04,
    kPointInTime = 0x08,
    kZapReplicaId = 0x10,
    kZapIdIfNecessary = 0x20,
    kAlternatePath = 0x40,
    kAllFlags = 0x7F,
};

enum CallbackFlags : std::uint32_t { kNoteUpdate = 1 };

// The upper bits of the register with the callback's result are undefined; the type cuts them off.
using RestoreCallback = Status (*)(Unid* logId, std::uint32_t logNumber, char* path);
using NoteCallback = Status (*)(std::uint32_t flags, void* parameter, NoteRestoreInfo* info);

constexpr std::size_t kPathBufferBytes = 4096;

RecoveryOptions optionsOf(std::uint32_t flags, const TimeDate* recoveryTime) {
    const bool isBad = (flags & ~static_cast<std::uint32_t>(kAllFlags)) != 0 ||
                       ((flags & kRefreshBackup) != 0 && (flags & (kZapId | kZapReplicaId | kPointInTime)) != 0) ||
                       ((flags & kPointInTime) != 0 && recoveryTime == nullptr);
    if (isBad) {
        throw StatusError(kValueFlags);
    }
    RecoveryOptions options;
    options.waitsForOthers = (flags & kWait) != 0;
    options.zapsInstanceId = (flags & kZapId) != 0;
    options.zapsInstanceIdIfNecessary = (flags & kZapIdIfNecessary) != 0;
    options.zapsReplicaId = (flags & kZapReplicaId) != 0;
    options.staysBackup = (flags & kRefreshBackup) != 0;
    options.usesAlternatePath = (flags & kAlternatePath) != 0;
    options.until = (flags & kPointInTime) != 0 ? recoveryTime : nullptr;
    return options;
}

/** Parses `a.nsf\0b.nsf\0\0`. */
std::vector<std::string> namesOf(Environment& environment, const char* list) {
    std::vector<std::string> names;
    for (; *list != 0; list += std::strlen(list) + 1) {
        names.push_back(pathArgument(environment, list));
    }
    return names;
}

Status recover(Environment& environment, const char* dbNames, RestoreCallback restore, std::uint32_t flags,
               std::uint16_t* errorIndex, TimeDate* recoveryTime, NoteCallback noteCallback, void* parameter) {
    RecoveryOptions options = optionsOf(flags, recoveryTime);
    if (restore != nullptr) {
        options.restoreExtent = [restore](const Unid& logId, std::uint32_t extent, const std::string& path) {
            Unid id = logId;
            char buffer[kPathBufferBytes] = {};
            std::strncpy(buffer, lmbcs::fromUtf8(path).c_str(), sizeof buffer - 1);
            return restore(&id, extent, buffer);
        };
    }
    if (noteCallback != nullptr) {
        options.applied = [=](const std::string& path, std::uint32_t page, const TimeDate& committed) {
            std::string name = lmbcs::fromUtf8(path);
            char user[] = "CN=Workload/O=Test";
            NoteRestoreInfo info{sizeof(NoteRestoreInfo), page, 0, committed, user, name.data()};
            return noteCallback(kNoteUpdate, parameter, &info);
        };
    }
    const TimeDate wanted = recoveryTime == nullptr ? TimeDate{} : *recoveryTime;
    if (options.until != nullptr) {
        options.until = &wanted;
    }
    const RecoveryResult result = recoverDatabases(environment, namesOf(environment, dbNames), options);
    if (errorIndex != nullptr) {
        *errorIndex = result.failedDatabase;
    }
    if (recoveryTime != nullptr && result.status == kNoError) {
        *recoveryTime = result.lastApplied;
    }
    return result.status;
}

struct LastBackup {
    TimeDate time;
    std::uint32_t logExtent;
};

/** A backup file contains what it needs itself; a database, what its last backup needs. */
LastBackup lastBackup(const Database& database, const HeaderPage& header) {
    const bool isBackup = header.backupId != 0 && database.slot().backup.state == BackupState::none;
    return isBackup ? LastBackup{header.backupTime, header.backupLogExtent}
                    : LastBackup{header.completedTime, header.completedLogExtent};
}

/** How many kilobytes of log a recovery of that backup would read. */
std::uint32_t spanKb(Environment& environment, const LastBackup& backup, const LogPosition& log) {
    const double extentKb = environment["SIM_LOG_EXTENT_BYTES"_setting] / 1024;
    return static_cast<std::uint32_t>((log.currentExtent - backup.logExtent + 1) * extentKb);
}

}  // namespace

NOTES_API std::uint64_t NSFRecoverDatabases(const char* dbNames, RestoreCallback restore, std::uint32_t flags,
                                            std::uint16_t* errorIndex, TimeDate* recoveryTime) {
    return call("NSFRecoverDatabases"_function, {0, dbNames}, [&](Environment& environment) -> Status {
        return recover(environment, dbNames, restore, flags, errorIndex, recoveryTime, nullptr, nullptr);
    });
}

NOTES_API std::uint64_t NSFRecoverDatabasesWithCallback(const char* dbNames, RestoreCallback restore,
                                                        std::uint32_t flags, std::uint16_t* errorIndex,
                                                        TimeDate* recoveryTime, NoteCallback noteCallback,
                                                        void* parameter) {
    return call("NSFRecoverDatabasesWithCallback"_function, {0, dbNames}, [&](Environment& environment) -> Status {
        return recover(environment, dbNames, restore, flags, errorIndex, recoveryTime, noteCallback, parameter);
    });
}

NOTES_API std::uint64_t NSFIsNewBackupNeeded(const char* dbName, std::uint32_t comfortSpanKb,
                                             std::uint32_t* backupNeeded) {
    return call("NSFIsNewBackupNeeded"_function, {0, dbName}, [&](Environment& environment) -> Status {
        if (!isServerLogged(environment)) {
            return kRecoveryGeneralFailure;
        }
        const ResolvedPath path = resolvePath(environment, pathArgument(environment, dbName));
        if (path.kind == PathKind::directory) {
            return kNotNsf;
        }
        const Database database(environment, path, OpenPurpose::recovery);
        const HeaderPage header = database.readHeader();
        const LogPosition log = logPosition(environment);
        // The header tells whether the backup file, wherever it is, belongs to a logged database.
        if ((header.flags & kHeaderLogged) == 0) {
            return kOnlyV5Databases;
        }
        const LastBackup backup = lastBackup(database, header);
        if (backup.time == TimeDate{} || header.logId != log.logId) {
            return kRecoverNonBackup;
        }
        if (comfortSpanKb != 0 && log.style == LogStyle::archive) {
            return kValueFlags;
        }
        const std::uint32_t span = spanKb(environment, backup, log);
        if (comfortSpanKb == 0) {
            *backupNeeded = span;
            return kNoError;
        }
        const double capacityKb =
            environment["SIM_LOG_EXTENT_BYTES"_setting] / 1024 * environment["SIM_LOG_EXTENTS"_setting];
        *backupNeeded = span + comfortSpanKb > capacityKb ? 1 : 0;
        return kNoError;
    });
}
