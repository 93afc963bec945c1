#include "shadow/rolling_provider.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include "backup/file_descriptor.h"

namespace domino_vss::shadow {

namespace {

using backup::CallStatus;
using backup::FileDescriptor;
using backup::systemStatus;

constexpr std::size_t kBlockBytes = std::size_t{256} << 10U;
/// Copied bytes between two high-water marks: the interval of HCL's sample is 320 KiB, ours the next multiple of a
/// block.
constexpr std::uint64_t kMarkIntervalBytes = std::uint64_t{512} << 10U;

CallStatus writeAll(int descriptor, std::span<const char> bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return systemStatus(backup::code::kCopy, "write", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

/// Copies exactly `sizeBytes`. The mark follows what has been *read*: only that can no longer change in the copy.
CallStatus copyFile(int source, int target, backup::Database& database, std::uint64_t sizeBytes,
                    const backup::Limits& limits, std::span<char> block) noexcept {
    std::uint64_t copied = 0;
    std::uint64_t marked = 0;
    while (copied < sizeBytes) {
        if (const char* reason = limits.exceeded()) return {reason, "", backup::Domain::engine, 0};
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), sizeBytes - copied));
        const ssize_t got = ::read(source, block.data(), want);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return systemStatus(backup::code::kCopy, "read", errno);
        if (got == 0) return systemStatus(backup::code::kCopy, "read", EIO);  // shorter than at NSFBackupStart
        const auto bytes = static_cast<std::size_t>(got);
        if (const CallStatus written = writeAll(target, block.first(bytes)); !written.ok()) return written;
        copied += bytes;
        if (copied - marked < kMarkIntervalBytes) continue;
        marked = copied;
        if (const CallStatus mark = database.setHighWaterMark(copied); !mark.ok()) return mark;
    }
    return {};
}

}  // namespace

RollingProvider::RollingProvider(std::vector<SessionVolume> volumes) : volumes_(std::move(volumes)) {}

void RollingProvider::prepare(std::span<const backup::DatabaseSpec> databases, const backup::Limits& /*limits*/) {
    targets_.create(volumes_, databases);
}

CallStatus RollingProvider::captureFile(const backup::DatabaseSpec& spec, backup::Database& database,
                                        std::uint64_t sizeBytes, const backup::Limits& limits) noexcept {
    // One block per shard thread for the life of the thread, so that a capture never allocates.
    thread_local std::array<char, kBlockBytes> block;
    const FileDescriptor source(::open(spec.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.valid()) return systemStatus(backup::code::kCopy, "open", errno);
    static_cast<void>(::posix_fadvise(source.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
    const FileDescriptor target(::open(spec.target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!target.valid()) return systemStatus(backup::code::kCopy, "open", errno);
    return copyFile(source.get(), target.get(), database, sizeBytes, limits, block);
}

void RollingProvider::remove() {
    targets_.remove();
}

}  // namespace domino_vss::shadow
