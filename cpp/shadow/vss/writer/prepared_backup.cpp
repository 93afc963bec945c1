#include "shadow/vss/writer/prepared_backup.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/delta_file.h"
#include "shadow/vss/vss_codes.h"
#include "system/path.h"
#include "system/sync.h"
#include "system/system_error.h"

namespace domino_vss::vss {

namespace {

using std::chrono::milliseconds;

/// How long abort() waits for the databases to leave backup mode.
constexpr milliseconds kTakingBack{10'000};

}  // namespace

void PreparedBackup::Progress::end(std::optional<Failure> failed) {
    const std::lock_guard lock(mutex);
    // The first failure counts: the steps after it fail only because they are called out of order.
    if (!ended && !failure) failure = std::move(failed);
    const std::string_view reason = failure ? failure->code : "";
    if (reason == code::kHookTimeout || (reason == code::kWindowTimeout && failure->phase == Phase::shadow))
        failure = Failure(code::kWriterSnapshot, Phase::shadow,
                          "the snapshot was not taken in time; the databases have left backup mode");
    ended = true;
    changed.notify_all();
}

PreparedBackup::PreparedBackup(PreparedBackupOptions options, std::unique_ptr<engine::DatabaseSource> source)
    : options_(std::move(options)) {
    // No volumes: the requester of the snapshot flushes them.
    auto snapshot = std::make_unique<shadow::HookProvider>(std::vector<shadow::SessionVolume>{},
                                                           [progress = progress_](double /*deadlineMs*/) {
                                                               const std::lock_guard lock(progress->mutex);
                                                               progress->held = true;
                                                               progress->changed.notify_all();
                                                           });
    snapshot_ = snapshot.get();
    session_ = std::make_shared<engine::Session>(options_.session, std::move(source), std::move(snapshot));
}

void PreparedBackup::add(engine::DatabaseSpec spec, std::size_t volume, std::size_t component, bool required) {
    databases_.push_back({std::move(spec), volume, component, required});
}

PreparedBackup::Places PreparedBackup::places() const {
    Places places;
    for (const Prepared& database : databases_)
        places.emplace(options_.volumes.at(database.volume), database.component);
    return places;
}

void PreparedBackup::begin(const Coverage& coverage) {
    // Asked once a volume: VSS resolves the path at each question.
    std::vector<bool> covered;
    for (const std::string& volume : options_.volumes) covered.push_back(coverage.volume(volume));
    for (std::uint32_t index = 0; index < databases_.size(); ++index) {
        if (!coverage.component(databases_[index].component)) continue;
        if (covered.at(databases_[index].volume))
            included_.push_back(index);
        else if (coverage.chosen)
            outside_.push_back(index);
    }
    if (included_.empty()) {
        Failure none(code::kWriterSnapshot, Phase::prepare, "no database lies on the volumes of the snapshot");
        none.domain = Domain::com;
        none.status = result::kWriterInconsistentSnapshot;
        throw none;
    }
    claimDirectory();
    for (const std::uint32_t index : included_) session_->add(databases_[index].spec);
    {
        const std::lock_guard lock(progress_->mutex);
        progress_->begun = true;
    }

    const auto failed = [progress = progress_](Failure* failure) {
        if (failure != nullptr) progress->end(std::move(*failure));
    };
    session_->open(options_.prepareTimeout, failed);
    session_->prepare(options_.prepareTimeout, failed);
    session_->capture(options_.prepareTimeout + options_.session.window + options_.drainTimeout,
                      [progress = progress_](Failure* failure) {
                          progress->end(failure != nullptr ? std::optional(std::move(*failure)) : std::nullopt);
                      });
}

void PreparedBackup::claimDirectory() {
    const std::lock_guard guard(lockMutex_);
    lock_ = DirectoryLock::tryTake(options_.lockedDirectory);
    if (!lock_)
        throw Failure(code::kLocked, Phase::prepare, "another backup or restore of it is running",
                      options_.lockedDirectory);
    std::set<std::filesystem::path> parents;
    for (const auto& [from, to] : options_.moves) {
        std::error_code error;
        std::filesystem::rename(from, to, error);
        if (error) throw systemFailure(code::kFileSystem, Phase::prepare, "rename", utf8Of(to), systemErrorOf(error));
        parents.insert(to.parent_path());
    }
    // These must be on disk before the first database is in backup mode.
    for (const std::filesystem::path& parent : parents) syncDirectory(parent, code::kFileSystem, Phase::prepare);
}

std::optional<Failure> PreparedBackup::awaitHeld() {
    {
        std::unique_lock lock(progress_->mutex);
        const auto settled = [this] { return progress_->held || progress_->ended; };
        if (progress_->changed.wait_for(lock, options_.prepareTimeout, settled)) {
            if (!progress_->ended) return std::nullopt;
            return progress_->failure;
        }
    }
    Failure late(code::kDeadline, Phase::start, "the databases did not enter backup mode in time");
    abort(late);
    return late;
}

PreparedBackup::AllLeftOut PreparedBackup::leftOut() const {
    AllLeftOut found;
    using Kind = std::size_t LeftOut::*;
    const auto enter = [](LeftOut& into, const std::string& path, std::uint32_t status, Kind kind) {
        if (into.databases == 0) {
            into.first = path;
            into.status = status;
        }
        ++into.databases;
        if (kind != nullptr) ++(into.*kind);
    };
    const auto leave = [&](const Prepared& database, std::uint32_t status, Kind kind) {
        enter(found, database.spec.path, status, kind);
        enter(found.components[database.component], database.spec.path, status, kind);
        found.required = found.required || database.required;
    };
    const std::deque<engine::DatabaseRecord>& records = session_->records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        const engine::DatabaseRecord& record = records[i];
        if (record.state.load(std::memory_order_acquire) != engine::State::skipped) continue;
        const std::uint32_t status = record.failure.domain == Domain::domino ? record.failure.status : 0;
        leave(databases_[included_[i]], status, nullptr);
    }
    for (const std::uint32_t index : outside_) leave(databases_[index], 0, &LeftOut::outside);
    for (const auto& [record, failure] : inShadows_)
        if (failure)
            leave(databases_[included_[record]], failure->domain == Domain::domino ? failure->status : 0,
                  &LeftOut::torn);
    return found;
}

bool PreparedBackup::isHeld() const {
    const std::lock_guard lock(progress_->mutex);
    return progress_->held && !progress_->ended;
}

bool PreparedBackup::isUnderWay() const {
    const std::lock_guard lock(progress_->mutex);
    return progress_->begun && !progress_->ended;
}

void PreparedBackup::thaw() {
    snapshot_->settle(std::nullopt);
}

std::optional<Failure> PreparedBackup::awaitEnd() {
    if (!endsWithin(options_.drainTimeout)) {
        Failure late(code::kDeadline, Phase::drain, "the change information was not written in time");
        abort(late);
        return late;
    }
    const std::lock_guard lock(progress_->mutex);
    return progress_->failure;
}

void PreparedBackup::completeInShadows(const NewShadows& shadows, engine::Clock::time_point thawed) {
    ShadowRecoveryOptions options;
    for (const std::string& volume : options_.volumes) options.shadows.push_back(shadows.deviceOf(volume));
    options.linkDirectory = utf8Of(options_.session.deltaDirectory);
    options.apply = options_.apply;
    options.threads = options_.session.shards;
    options.databaseBudget = options_.session.databaseBudget;
    options.timeout = std::chrono::duration_cast<milliseconds>(thawed + options_.drainTimeout - engine::Clock::now());
    options.stop = stop_.get_token();

    std::vector<DatabaseInShadow> databases;
    std::vector<std::size_t> numbers;
    const std::deque<engine::DatabaseRecord>& records = session_->records();
    for (std::size_t i = 0; i < records.size(); ++i) {
        const engine::DatabaseRecord& record = records[i];
        if (record.state.load(std::memory_order_acquire) != engine::State::captured) continue;
        const Prepared& prepared = databases_[included_[i]];
        const std::filesystem::path delta = engine::deltaFileOf(options_.session.deltaDirectory, i);
        numbers.push_back(i);
        databases.push_back({prepared.volume, utf8Of(pathOf(prepared.spec.target)),
                             record.deltaBytes == 0 ? std::string() : utf8Of(delta), record.startSizeBytes,
                             record.announcedBytes, record.irregularPieces});
    }
    std::vector<std::optional<Failure>> failures = recoverInShadows(std::move(options), std::move(databases));
    for (std::size_t i = 0; i < numbers.size(); ++i) inShadows_.emplace(numbers[i], std::move(failures[i]));
}

std::optional<Failure> PreparedBackup::outcome() const {
    const std::lock_guard lock(progress_->mutex);
    if (progress_->ended) return progress_->failure;
    return Failure(code::kState, Phase::shadow, "no snapshot has been made of these databases yet");
}

void PreparedBackup::abort(const Failure& reason) {
    {
        const std::lock_guard lock(progress_->mutex);
        if (!progress_->failure) progress_->failure = Failure(reason);
        if (!progress_->begun) progress_->ended = true;
    }
    stop_.request_stop();
    session_->cancel();
    static_cast<void>(endsWithin(kTakingBack));
}

bool PreparedBackup::endsWithin(milliseconds patience) const {
    std::unique_lock lock(progress_->mutex);
    return progress_->changed.wait_for(lock, patience, [this] { return progress_->ended; });
}

void PreparedBackup::unlock() {
    const std::lock_guard guard(lockMutex_);
    lock_.reset();
}

}  // namespace domino_vss::vss
