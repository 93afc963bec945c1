#include "recovery.h"

#include <algorithm>
#include <filesystem>
#include <memory>

#include "timedate.h"
#include "translog.h"
#include "utf8_path.h"

namespace domino_sim {

namespace {

constexpr std::int64_t kRetryNs = 2'000'000;

/** One log scan at a time per partition. */
class ScanTurn {
public:
    ScanTurn(Environment& environment, bool waits) : partition_(environment.partition.get()) {
        PartitionLayout& shared = partition_->layout();
        while (true) {
            {
                const platform::RobustLock lock(shared.recoveryLock);
                if (!partition_->isAlive(shared.recoverer)) {
                    shared.recoverer = partition_->self();
                    return;
                }
            }
            if (!waits) {
                throw StatusError(kScanInProgress);
            }
            platform::sleepExactlyNs(kRetryNs);
        }
    }
    ScanTurn(const ScanTurn&) = delete;
    ScanTurn& operator=(const ScanTurn&) = delete;
    ~ScanTurn() {
        PartitionLayout& shared = partition_->layout();
        const platform::RobustLock lock(shared.recoveryLock);
        shared.recoverer = 0;
    }

private:
    Partition* partition_;
};

struct Candidate {
    std::unique_ptr<Database> database;
    HeaderPage header{};
    SuperblockState state;
    bool getsNewInstanceId = false;
    bool isAtItsTime = false;  // the next record is later than the requested time
};

Candidate openCandidate(Environment& environment, const std::string& path, const RecoveryOptions& options,
                        const Unid& logId) {
    const ResolvedPath resolved = resolvePath(environment, path);
    if (resolved.kind == PathKind::directory) {
        throw StatusError(kNotNsf);
    }
    Candidate candidate;
    candidate.database = std::make_unique<Database>(environment, resolved, OpenPurpose::recovery);
    candidate.header = candidate.database->readHeader();
    const HeaderPage& header = candidate.header;
    if ((header.flags & kHeaderLogged) == 0 || header.backupId == 0 ||
        candidate.database->slot().backup.state != BackupState::none) {
        throw StatusError(kRecoverNonBackup);
    }
    if (header.logId != logId || (header.flags & kHeaderSpoilt) != 0) {
        throw StatusError(kDamaged);
    }
    try {
        candidate.state = stateOf(candidate.database->readSuperblock());
    } catch (const StatusError&) {
        throw StatusError(kDamaged);
    }
    if (options.until != nullptr) {
        const int order = compare(*options.until, header.backupTime);
        if (order < 0 || (order == 0 && environment.settings.is("SIM_LATE_AT_BACKUP_TIME"_setting, "late"))) {
            throw StatusError(kLateBackup);
        }
    }
    candidate.getsNewInstanceId = options.zapsInstanceId || options.zapsReplicaId || options.until != nullptr;
    if (!candidate.getsNewInstanceId && !options.staysBackup &&
        isInstanceOnline(environment, header.instanceId, &candidate.database->slot())) {
        if (!options.zapsInstanceIdIfNecessary) {
            throw StatusError(kInstanceIdInUse);
        }
        candidate.getsNewInstanceId = true;
    }
    return candidate;
}

/** Returns true if the record was the candidate's next one and was applied. */
bool applyRecord(Candidate& candidate, const LogRecord& record, const RecoveryOptions& options) {
    const bool isNext = !candidate.isAtItsTime && record.sequence == candidate.state.sequence + 1 &&
                        record.parentChain == candidate.state.chain;
    if (!isNext) {
        return false;
    }
    if (options.until != nullptr && compare(record.committed, *options.until) >= 0) {
        candidate.isAtItsTime = true;
        return false;
    }
    candidate.state.sequence = record.sequence;
    candidate.state.seed = record.seed;
    candidate.state.chain = record.chain;
    candidate.state.pageCount = record.pageCountAfter;
    candidate.state.committed = record.committed;
    for (const std::uint32_t number : record.pages) {
        if (number == kSuperblockPage) {
            Superblock page;
            fillSuperblock(page, candidate.state);
            candidate.database->writePage(number, bytesOf(std::as_const(page)));
        } else {
            DataPage page;
            fillDataPage(page, candidate.state.databaseId, number, record.sequence, record.seed);
            candidate.database->writePage(number, bytesOf(std::as_const(page)));
        }
    }
    return true;
}

class Scan {
public:
    Scan(Environment& environment, const RecoveryOptions& options, std::vector<Candidate>& candidates)
        : environment_(&environment), options_(&options), candidates_(&candidates) {}

    TimeDate run(const LogPosition& log) {
        std::uint32_t first = log.currentExtent;
        for (const Candidate& candidate : *candidates_) {
            first = std::min(first, candidate.header.backupLogExtent);
        }
        for (std::uint32_t extent = first; extent <= log.currentExtent; ++extent) {
            readOne(log.logId, extent);
        }
        return lastApplied_;
    }

private:
    void readOne(const Unid& logId, std::uint32_t extent) {
        const auto apply = [this](const LogRecord& record) { applyToAll(record); };
        const std::string inPlace = logDirectory(*environment_) + platform::kSeparator + extentName(extent);
        if (readExtent(inPlace, logId, extent, apply)) {
            return;
        }
        const std::string directory =
            options_->usesAlternatePath ? environment_->ini.find("TRANSLOG_RECOVER_PATH").value_or("") : "";
        const std::string path = directory.empty() ? inPlace : directory + platform::kSeparator + extentName(extent);
        const bool isBack = options_->restoreExtent && options_->restoreExtent(logId, extent, path) == kNoError &&
                            readExtent(path, logId, extent, apply);
        if (!isBack) {
            throw StatusError(kRecoveryLogError);
        }
        if (environment_->settings.is("SIM_RETRIEVED_EXTENTS"_setting, "remove")) {
            std::error_code ignored;
            std::filesystem::remove(pathOf(path), ignored);  // it was restored only for this scan
        }
    }

    void applyToAll(const LogRecord& record) {
        for (Candidate& candidate : *candidates_) {
            if (candidate.header.instanceId != record.instanceId || !applyRecord(candidate, record, *options_)) {
                continue;
            }
            if (compare(record.committed, lastApplied_) > 0) {
                lastApplied_ = record.committed;
            }
            if (options_->applied) {
                const Status status =
                    options_->applied(candidate.database->expandedPath(), record.pages.front(), record.committed);
                if (status != kNoError) {
                    throw StatusError(status);
                }
            }
        }
    }

    Environment* environment_;
    const RecoveryOptions* options_;
    std::vector<Candidate>* candidates_;
    TimeDate lastApplied_{};
};

void finish(Candidate& candidate, const RecoveryOptions& options, const LogPosition& log) {
    Database& database = *candidate.database;
    database.changeHeader([&](HeaderPage& header) {
        if (options.staysBackup) {
            header.backupLogExtent = log.currentExtent;
            header.backupTime = currentTimeDate();
            header.backupStartBytes = static_cast<std::uint64_t>(candidate.state.pageCount) * kPageBytes;
            return;
        }
        header.backupId = 0;
        if (candidate.getsNewInstanceId) {
            header.instanceId = uniqueUnid();
        }
        if (options.zapsReplicaId) {
            header.replicaId = uniqueTimeDate();
        }
    });
    database.file().truncate(static_cast<std::uint64_t>(candidate.state.pageCount) * kPageBytes);
    database.file().sync();
}

void spoil(std::vector<Candidate>& candidates) {
    for (const Candidate& candidate : candidates) {
        candidate.database->changeHeader([](HeaderPage& header) { header.flags |= kHeaderSpoilt; });
    }
}

}  // namespace

RecoveryResult recoverDatabases(Environment& environment, const std::vector<std::string>& paths,
                                const RecoveryOptions& options) {
    RecoveryResult result;
    std::vector<Candidate> candidates;
    bool isScanning = false;
    try {
        if (!isServerLogged(environment)) {
            throw StatusError(kServerNotLogged);
        }
        const ScanTurn turn(environment, options.waitsForOthers);
        const LogPosition log = logPosition(environment);
        for (const std::string& path : paths) {
            result.failedDatabase = static_cast<std::uint16_t>(candidates.size() + 1);
            candidates.push_back(openCandidate(environment, path, options, log.logId));
        }
        result.failedDatabase = 0;
        isScanning = true;
        result.lastApplied = Scan(environment, options, candidates).run(log);
        for (Candidate& candidate : candidates) {
            finish(candidate, options, log);
            if (compare(candidate.state.committed, result.lastApplied) > 0) {
                result.lastApplied = candidate.state.committed;
            }
        }
    } catch (...) {
        result.status = statusOfCurrentException();
        if (isScanning && result.status == kRecoveryLogError) {
            spoil(candidates);
        }
    }
    return result;
}

}  // namespace domino_sim
