#include "domino/archived_extents.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "domino/lmbcs.h"
#include "domino/status.h"
#include "system/current_call.h"
#include "system/file.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::domino {

namespace {

constexpr std::size_t kBlockBytes = 1024UL * 1024UL;

/// All recoveries that offer extents.
struct Registry {
    std::mutex mutex;
    std::vector<ArchivedExtents*> recoveries;  // guarded by mutex
};

Registry& registry() {
    static Registry instance;
    return instance;
}

bool isSame(const UNID& one, const UNID& other) noexcept {
    return std::memcmp(&one, &other, sizeof one) == 0;
}

/// Whether the recovery still exists. Call with the lock held.
bool isThere(const ArchivedExtents* recovery) {
    return std::ranges::find(registry().recoveries, recovery) != registry().recoveries.end();
}

std::string becauseOf(const char* operation, const std::string& file, int error) {
    return std::string(operation) + " of " + file + ": " + systemErrorText(error);
}

}  // namespace

ArchivedExtents::ArchivedExtents(const Api& api, std::vector<ArchivedExtent> extents,
                                 std::vector<LogArchiveDirectory> directories)
    : api_(api), extents_(std::move(extents)), directories_(std::move(directories)) {
    const std::lock_guard lock(registry().mutex);
    registry().recoveries.push_back(this);
}

ArchivedExtents::~ArchivedExtents() {
    const std::lock_guard lock(registry().mutex);
    std::erase(registry().recoveries, this);
}

LOGRESTORECALLBACKFUNCTION ArchivedExtents::callback() const noexcept {
    return extents_.empty() && directories_.empty() ? nullptr : &bring;
}

std::string ArchivedExtents::refusal() const {
    const std::lock_guard lock(registry().mutex);
    return refusal_;
}

void ArchivedExtents::removeBrought() noexcept {
    const std::lock_guard lock(registry().mutex);
    for (const std::string& file : brought_) removeFile(file);
    brought_.clear();
}

/// Called by Domino's C code, so no exception may leave it.
STATUS ArchivedExtents::bring(UNID* logId, DWORD number, char* path) noexcept {
    try {
        const std::optional<Offer> offer = findOffer(*logId, number, path);
        if (!offer) {
            noteRefusal(nullptr, "extent " + std::to_string(number) + " was requested but is not in the archive");
            return error::kRecoveryLogError;
        }
        const std::string to = fromLmbcs(*offer->api, path);
        CurrentCall::note("the copy of an archived log extent", to);
        const std::string refusal = copy(offer->extent, to);
        CurrentCall::note("NSFRecoverDatabases");
        if (!refusal.empty()) {
            noteRefusal(offer->by, refusal);
            return error::kRecoveryLogError;
        }
        const std::lock_guard lock(registry().mutex);
        if (isThere(offer->by)) offer->by->brought_.push_back(to);
        return 0;
    } catch (...) {
        // Out of memory: to Domino, the extent does not exist.
        return error::kRecoveryLogError;
    }
}

/// The caller copies without the lock, so that a copy that hangs does not block other recoveries.
std::optional<ArchivedExtents::Offer> ArchivedExtents::findOffer(const UNID& logId, DWORD number, const char* path) {
    const std::lock_guard lock(registry().mutex);
    for (ArchivedExtents* const recovery : registry().recoveries) {
        const auto found = std::ranges::find_if(recovery->extents_, [&](const ArchivedExtent& extent) {
            return extent.number == number && isSame(extent.logId, logId);
        });
        if (found != recovery->extents_.end()) return Offer{recovery, &recovery->api_, *found};
    }
    // The extent was in the log directory when the recovery was planned, and was archived since. A file under its final
    // name is complete.
    for (ArchivedExtents* const recovery : registry().recoveries) {
        const auto archive = std::ranges::find_if(
            recovery->directories_, [&](const LogArchiveDirectory& one) { return isSame(one.logId, logId); });
        if (archive == recovery->directories_.end()) continue;
        const std::string name = utf8Of(pathOf(fromLmbcs(recovery->api_, path)).filename());
        const ArchivedExtent extent{logId, number, archive->directory + kSeparator + name, std::nullopt};
        return Offer{recovery, &recovery->api_, extent};
    }
    return std::nullopt;
}

/// Records it for the recovery `by`; with nullptr for all, if it is not known which one asked.
void ArchivedExtents::noteRefusal(const ArchivedExtents* by, const std::string& refusal) {
    const std::lock_guard lock(registry().mutex);
    for (ArchivedExtents* const recovery : registry().recoveries)
        if (by == nullptr || by == recovery) recovery->refusal_ = refusal;
}

/// Returns why the copy failed; empty on success. The copy gets its final name only when it is complete: a later
/// recovery must not read a partial file that a killed one has left.
std::string ArchivedExtents::copy(const ArchivedExtent& extent, const std::string& to) {
    const std::string unfinished = to + ".domino-vss";
    File source;
    if (const int failed = source.openForReading(extent.file)) return becauseOf("open", extent.file, failed);
    removeFile(unfinished);
    File target;
    if (const int failed = target.create(unfinished)) return becauseOf("creation", unfinished, failed);
    std::vector<char> buffer(kBlockBytes);
    std::uint64_t copied = 0;
    std::string refusal;
    for (;;) {
        const ReadResult read = source.read(buffer);
        if (read.error != 0) refusal = becauseOf("read", extent.file, read.error);
        if (read.error != 0 || read.bytes == 0) break;
        if (const int failed = target.write({buffer.data(), read.bytes})) {
            refusal = becauseOf("write", unfinished, failed);
            break;
        }
        copied += read.bytes;
    }
    target.close();
    if (refusal.empty() && copied != extent.sizeBytes.value_or(copied))
        refusal =
            extent.file + " has " + std::to_string(copied) + " bytes and not " + std::to_string(*extent.sizeBytes);
    std::error_code failed;
    if (refusal.empty()) std::filesystem::rename(pathOf(unfinished), pathOf(to), failed);
    if (failed) refusal = becauseOf("renaming", unfinished, systemErrorOf(failed));
    if (!refusal.empty()) removeFile(unfinished);
    return refusal;
}

}  // namespace domino_vss::domino
