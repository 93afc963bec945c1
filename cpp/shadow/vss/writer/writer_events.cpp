#include "shadow/vss/writer/writer_events.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

#include "shadow/vss/vss_codes.h"

namespace domino_vss::vss {

namespace {

std::string hex(std::uint32_t value) {
    std::array<char, 16> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "0x%04X", value));
    return text.data();
}

std::string describe(const PreparedBackup::LeftOut& left) {
    std::string text;
    const auto say = [&text](std::size_t count, const std::string& one, const std::string& several) {
        if (count == 0) return;
        text += (text.empty() ? "" : " and ") + std::to_string(count) + (count == 1 ? one : several);
    };
    say(left.databases - left.outside - left.torn, " database could not be put into backup mode",
        " databases could not be put into backup mode");
    say(left.outside, " database lies on a volume that is not in the snapshot",
        " databases lie on volumes that are not in the snapshot");
    say(left.torn, " database could not be completed in the snapshot and needs its delta file",
        " databases could not be completed in the snapshot and need their delta files");
    text += left.databases == 1 ? ": " + left.first : ", one of them is " + left.first;
    if (left.status != 0) text += " (STATUS " + hex(left.status) + ")";
    return text;
}

/// The whole of a backup that lacks some of its databases, and each of its components.
Verdict partial(const PreparedBackup::LeftOut& left) {
    if (left.databases == 0) return {};
    return {true, result::kWriterPartialFailure, left.status, describe(left)};
}

std::vector<ComponentFailure> failures(const PreparedBackup::AllLeftOut& left) {
    std::vector<ComponentFailure> all;
    for (const auto& [component, lacking] : left.components) {
        const std::uint32_t result =
            lacking.outside > 0 ? result::kWriterInconsistentSnapshot : result::kWriterNonRetryable;
        all.push_back({component, result, lacking.status, describe(lacking)});
    }
    return all;
}

/// A refusal to be set for the whole restore and on each component.
RestoreVerdict refusal(std::string text) {
    return {{false, result::kWriterNonRetryable, 0, std::move(text)}, {}};
}

RestoreVerdict refusal(const Failure& failure) {
    RestoreVerdict verdict = refusal(failure.subject.empty() ? failure.text : failure.subject + ": " + failure.text);
    if (failure.domain == Domain::domino) verdict.all.applicationResult = failure.status;
    return verdict;
}

}  // namespace

WriterEvents::WriterEvents(OwnComponents components, Policy policy, Listener listener,
                           std::unique_ptr<RestoreWork> restore)
    : components_(std::move(components)),
      policy_(policy),
      listener_(std::move(listener)),
      restore_(std::move(restore)) {
    // Until databases are known, their trees have to do.
    for (std::size_t index = 0; index < components_.size(); ++index)
        for (const ComponentFiles& files : components_[index].files)
            if (components_[index].kind == ComponentKind::databases) places_.emplace(files.directory, index);
}

WriterEvents::~WriterEvents() {
    close();
}

bool WriterEvents::arm(std::shared_ptr<PreparedBackup> backup) {
    PreparedBackup::Places places;
    if (backup != nullptr) places = backup->places();
    const std::lock_guard lock(mutex_);
    // Without databases there is nothing to put into backup mode.
    if (backup != nullptr) places_ = std::move(places);
    const bool wasThere = armed_ != nullptr;
    armed_ = closed_ ? nullptr : std::move(backup);
    return wasThere;
}

void WriterEvents::close() {
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        closed_ = true;
        armed_.reset();
    }
    takeBack("the writer is shutting down");
    if (restore_ != nullptr) restore_->close();
}

bool WriterEvents::identify() noexcept {
    notify(WriterMoment::identified);
    return true;
}

Verdict WriterEvents::prepareBackup(Selection selection) noexcept {
    // VSS makes only one snapshot set at a time. So if a backup is in progress, this requester violates that rule; if
    // one is left over, its requester is gone without notice.
    if (std::shared_ptr<PreparedBackup> other = current()) {
        if (other->isUnderWay())
            return {false, result::kWriterRetryable, 0, "another snapshot of the same databases is in progress"};
        takeBack("the requester did not continue with the snapshot");
    }
    const std::lock_guard lock(mutex_);
    selection_ = std::move(selection);
    completed_.clear();
    lacking_.clear();
    return {};
}

Verdict WriterEvents::prepareSnapshot(const SnapshotSet& set) noexcept {
    try {
        return start(set);
    } catch (...) {
        return fail(failureInFlight(Phase::start));
    }
}

Verdict WriterEvents::start(const SnapshotSet& set) {
    Verdict busy{false, result::kWriterRetryable, 0, "another snapshot of the same databases is in progress"};
    Selection selection;
    {
        const std::lock_guard lock(mutex_);
        if (stage_ != Stage::idle) return busy;
        selection = std::exchange(selection_, {});
    }
    // Without the lock: VSS resolves each path, which may hang, and arm() and close() must not wait for that.
    const bool involved = concerns(set, selection);
    std::shared_ptr<PreparedBackup> backup;
    bool unready = false;
    {
        const std::lock_guard lock(mutex_);
        if (stage_ != Stage::idle) return busy;
        set_ = set.id;
        session_ = set.session;
        unready = involved && !closed_ && armed_ == nullptr;
        if (involved && armed_ != nullptr) {
            backup = running_ = std::exchange(armed_, nullptr);
            stage_ = Stage::held;
        }
    }
    if (unready) {
        const std::string text = "the writer is not ready: it is preparing its next backup";
        notify(WriterMoment::refused, Failure(code::kState, Phase::prepare, text));
        return {!policy_.veto, result::kWriterRetryable, 0, text};
    }
    if (backup == nullptr) {
        notify(WriterMoment::uninvolved);
        return {};
    }
    notify(WriterMoment::begun);
    backup->begin(
        {set.contains, [&](std::size_t component) { return isSelected(selection, component); }, selection.components});
    return settle(backup);
}

Verdict WriterEvents::settle(const std::shared_ptr<PreparedBackup>& backup) {
    if (std::optional<Failure> failure = backup->awaitHeld()) return fail(*failure);
    const PreparedBackup::AllLeftOut left = backup->leftOut();
    const bool none = left.databases - left.outside == backup->included().size();
    if (none || left.required || left.databases > backup->maxSkipped()) {
        const char* const why = none            ? code::kNoDatabases
                                : left.required ? code::kRequiredDatabase
                                                : code::kTooManySkipped;
        Failure failure(why, Phase::start, describe(left));
        failure.status = left.status;
        if (left.outside > 0) {
            failure.domain = Domain::com;
            failure.status = result::kWriterInconsistentSnapshot;
        }
        backup->abort(failure);
        return fail(failure);
    }
    notify(WriterMoment::held);
    return partial(left);
}

Verdict WriterEvents::freeze() noexcept {
    try {
        const std::shared_ptr<PreparedBackup> backup = current(Stage::held);
        if (backup == nullptr || backup->isHeld()) return {};
        // It ended by itself: the server is gone, or the time limit was exceeded.
        if (std::optional<Failure> failure = backup->awaitEnd()) return fail(*failure);
        return fail(Failure(code::kWriterSnapshot, Phase::shadow, "the databases are not in backup mode"));
    } catch (...) {
        return fail(failureInFlight(Phase::shadow));
    }
}

Verdict WriterEvents::thaw() noexcept {
    try {
        const std::shared_ptr<PreparedBackup> backup = current(Stage::held);
        if (backup == nullptr) return {};
        if (!backup->isHeld()) {
            if (std::optional<Failure> failure = backup->awaitEnd()) return fail(*failure);
            return fail(Failure(code::kWriterSnapshot, Phase::shadow, "the databases are not in backup mode"));
        }
        backup->thaw();
        {
            const std::lock_guard lock(mutex_);
            stage_ = Stage::thawed;
        }
        notify(WriterMoment::thawed);
        return {};
    } catch (...) {
        return fail(failureInFlight(Phase::shadow));
    }
}

Verdict WriterEvents::postSnapshot(const NewShadows& shadows) noexcept {
    try {
        const engine::Clock::time_point thawed = engine::Clock::now();
        const std::shared_ptr<PreparedBackup> backup = current(Stage::thawed);
        if (backup == nullptr) return {};
        if (std::optional<Failure> failure = backup->awaitEnd()) return fail(*failure);
        if (shadows.writable) backup->completeInShadows(shadows, thawed);
        const PreparedBackup::AllLeftOut left = backup->leftOut();
        std::vector<ComponentFailure> lacking = failures(left);
        // That may have taken long: the requester or this process may have ended the session.
        if (current() != backup) return {!policy_.veto, result::kWriterNonRetryable, 0, "the backup was taken back"};
        notify(WriterMoment::completed);
        {
            const std::lock_guard lock(mutex_);
            running_.reset();
            stage_ = Stage::idle;
            completed_ = backup->id();
            lacking_ = std::move(lacking);
        }
        return partial(left);
    } catch (...) {
        return fail(failureInFlight(Phase::drain));
    }
}

void WriterEvents::abort() noexcept {
    takeBack("the snapshot was aborted");
}

void WriterEvents::backupShutdown(const Guid& set, const Guid& session) noexcept {
    if (restore_ != nullptr) restore_->shutdown(session);
    {
        const std::lock_guard lock(mutex_);
        // A requester that only listed the writers, or restored, has no set.
        const bool isOfAnother = session != Guid{} && session_ != Guid{} && session != session_;
        if (isOfAnother || (set != Guid{} && set != set_)) return;
    }
    takeBack("the requester ended before the snapshot was complete");
}

std::string WriterEvents::completedBackup() const {
    const std::lock_guard lock(mutex_);
    return completed_;
}

std::vector<ComponentFailure> WriterEvents::failedComponents() const {
    const std::lock_guard lock(mutex_);
    return lacking_;
}

bool WriterEvents::takesPartInRestores() const noexcept {
    return restore_ != nullptr;
}

RestoreVerdict WriterEvents::preRestore(const RequestedRestore& restore) noexcept {
    try {
        if (restore_ == nullptr) return refusal("this writer does not support restores: use domino-vss restore");
        if (areAttachments(restore)) return {};
        for (const RestoreComponent& component : restore.components) {
            if (kindOf(component) == ComponentKind::transactionLog)
                return refusal("the server is writing to its transaction log: restore without the component " +
                               component.name + ", or use domino-vss restore");
            if (component.elsewhere)
                return refusal(
                    "files of the component " + component.name +
                    " would be restored to another place, where they are not databases of this server: use domino-vss "
                    "restore --as");
        }
        return restore_->preRestore(restore);
    } catch (...) {
        return refusal(failureInFlight(Phase::restore));
    }
}

RestoreVerdict WriterEvents::postRestore(const RequestedRestore& restore) noexcept {
    try {
        if (areAttachments(restore)) return {};
        return restore_ == nullptr ? notFinished(restore) : restore_->postRestore(restore);
    } catch (...) {
        return refusal(failureInFlight(Phase::restore));
    }
}

ComponentKind WriterEvents::kindOf(const RestoreComponent& component) const {
    const auto own = std::ranges::find(components_, component.name, &OwnComponent::name);
    return own == components_.end() ? ComponentKind::databases : own->kind;
}

/// DAOS attachments never change, so restoring them needs no action.
bool WriterEvents::areAttachments(const RequestedRestore& restore) const {
    return std::ranges::all_of(restore.components, [this](const RestoreComponent& component) {
        return kindOf(component) == ComponentKind::attachments;
    });
}

bool WriterEvents::concerns(const SnapshotSet& set, const Selection& selection) const {
    PreparedBackup::Places places;
    {
        const std::lock_guard lock(mutex_);
        places = places_;
    }
    // A requester that selects a component without its volume has to be told that it gets none of it.
    return std::ranges::any_of(places, [&](const auto& place) {
        return isSelected(selection, place.second) && (selection.components || set.contains(place.first));
    });
}

bool WriterEvents::isSelected(const Selection& selection, std::size_t component) const {
    if (!selection.components) return true;
    if (component >= components_.size()) return false;
    const OwnComponent& one = components_[component];
    return std::ranges::find(selection.selected, std::pair(one.logicalPath, one.name)) != selection.selected.end();
}

Verdict WriterEvents::fail(const Failure& failure) noexcept {
    takeBack(failure);
    try {
        return verdictOn(failure);
    } catch (...) {
        return {!policy_.veto, result::kWriterOutOfResources, 0, {}};
    }
}

void WriterEvents::takeBack(const char* reason) noexcept {
    try {
        takeBackOrThrow(Failure(code::kWriterSnapshot, Phase::shadow, reason));
    } catch (...) {
        takeBack(failureInFlight(Phase::shadow));
    }
}

void WriterEvents::takeBack(const Failure& reason) noexcept {
    try {
        takeBackOrThrow(reason);
    } catch (...) {
        // Out of memory. The session needs none to take its databases out of backup mode.
        const std::lock_guard lock(mutex_);
        stage_ = Stage::idle;
    }
}

void WriterEvents::takeBackOrThrow(const Failure& reason) {
    std::shared_ptr<PreparedBackup> backup;
    Guid set;
    {
        const std::lock_guard lock(mutex_);
        backup = std::exchange(running_, nullptr);
        set = set_;
    }
    if (backup == nullptr) return;
    backup->session()->cancel();
    backup->abort(reason);
    std::optional<Failure> failure = backup->awaitEnd();
    {
        const std::lock_guard lock(mutex_);
        stage_ = Stage::idle;
    }
    if (listener_) listener_({WriterMoment::failed, backup, set, std::move(failure)});
}

void WriterEvents::notify(WriterMoment moment, std::optional<Failure> failure) noexcept {
    try {
        WriterNotice notice{moment, nullptr, {}, std::move(failure)};
        {
            const std::lock_guard lock(mutex_);
            notice.backup = running_;
            notice.set = set_;
        }
        if (listener_) listener_(notice);
    } catch (...) {
        // Not reported; taking the databases out of backup mode is more important.
    }
}

Verdict WriterEvents::verdictOn(const Failure& failure) const {
    const std::string_view reason = failure.code;
    const bool later = reason == code::kLocked || reason == code::kDeadline;
    Verdict verdict{!policy_.veto, later ? result::kWriterRetryable : result::kWriterNonRetryable, 0, failure.text};
    if (!failure.subject.empty()) verdict.text = failure.subject + ": " + verdict.text;
    if (failure.domain == Domain::domino) verdict.applicationResult = failure.status;
    // What VSS has a result of its own for.
    if (failure.domain == Domain::com) verdict.result = failure.status;
    return verdict;
}

std::shared_ptr<PreparedBackup> WriterEvents::current() const {
    const std::lock_guard lock(mutex_);
    return running_;
}

std::shared_ptr<PreparedBackup> WriterEvents::current(Stage stage) const {
    const std::lock_guard lock(mutex_);
    return stage_ == stage ? running_ : nullptr;
}

}  // namespace domino_vss::vss
