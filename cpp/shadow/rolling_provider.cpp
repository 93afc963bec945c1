#include "shadow/rolling_provider.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "system/file.h"
#include "system/system_error.h"

namespace domino_vss::shadow {

namespace {

constexpr std::size_t kBlockBytes = std::size_t{256} << 10U;
/// Bytes copied between two high-water marks. HCL's sample uses 320 KiB; this is the next multiple of the block size.
constexpr std::uint64_t kMarkIntervalBytes = std::uint64_t{512} << 10U;

/// Writes the block, or leaves a hole for it. Holes are read like data: they may be filled at any moment, and the mark
/// states how much has been read.
int writeOrSkip(File& target, std::span<const char> block, bool mayHaveHoles) noexcept {
    const bool isZero =
        mayHaveHoles && block[0] == 0 && std::memcmp(block.data(), block.data() + 1, block.size() - 1) == 0;
    return isZero ? target.skip(block.size()) : target.write(block);
}

/// Copies exactly `sizeBytes`. The mark reports the bytes *read*: only these can no longer change in the copy.
CallStatus copyFile(File& source, File& target, engine::HighWaterMarks& marks, std::uint64_t sizeBytes,
                    const engine::Limits& limits, std::span<char> block) {
    const bool mayHaveHoles = source.isSparse() && target.allowHoles() == 0;
    std::uint64_t copied = 0;
    std::uint64_t marked = 0;
    while (copied < sizeBytes) {
        if (const char* reason = limits.exceeded()) return {reason, "", Domain::engine, 0};
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), sizeBytes - copied));
        const ReadResult got = source.read(block.first(want));
        if (got.error != 0) return systemStatus(code::kCopy, "read", got.error);
        // The file is shorter than at NSFBackupStart, and Domino shortens none in backup mode.
        if (got.bytes == 0) return engineStatus(code::kDatabaseReplaced);
        if (const int error = writeOrSkip(target, block.first(got.bytes), mayHaveHoles); error != 0)
            return systemStatus(code::kCopy, "write", error);
        copied += got.bytes;
        if (copied - marked < kMarkIntervalBytes) continue;
        marked = copied;
        if (const CallStatus mark = marks.setHighWaterMark(copied); !mark.ok()) return mark;
    }
    if (!mayHaveHoles) return {};
    if (const int error = target.endHere(); error != 0) return systemStatus(code::kCopy, "truncate", error);
    return {};
}

CallStatus openStatus(int error) {
    const bool isGone = error == systemErrorOf(std::errc::no_such_file_or_directory);
    return isGone ? engineStatus(code::kDatabaseVanished) : systemStatus(code::kCopy, "open", error);
}

}  // namespace

RollingProvider::RollingProvider(std::vector<SessionVolume> volumes) : volumes_(std::move(volumes)) {}

void RollingProvider::prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& /*limits*/) {
    targets_.create(volumes_, databases);
}

CallStatus RollingProvider::captureFile(const engine::DatabaseSpec& spec, engine::HighWaterMarks& marks,
                                        std::uint64_t sizeBytes, const engine::Limits& limits) {
    // One block per shard thread, for the life of the thread, so that a capture never allocates.
    thread_local std::array<char, kBlockBytes> block;
    File source;
    if (const int error = source.openForReading(spec.file); error != 0) return openStatus(error);
    // Domino has the database open, but its name may lead to another file by now.
    if (spec.fileNumber != 0 && source.number() != spec.fileNumber) return engineStatus(code::kDatabaseReplaced);
    File target;
    if (const int error = target.create(spec.target); error != 0) return systemStatus(code::kCopy, "open", error);
    return copyFile(source, target, marks, sizeBytes, limits, block);
}

void RollingProvider::remove() {
    targets_.remove();
}

}  // namespace domino_vss::shadow
