#include "backup/delta_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

namespace domino_vss::backup {

namespace {
constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;
}

DeltaFile::DeltaFile(std::filesystem::path path) : path_(std::move(path)) {}

DeltaFile::~DeltaFile() {
    if (descriptor_.valid() && !kept_) ::unlink(path_.c_str());
}

CallStatus DeltaFile::open() noexcept {
    descriptor_ = FileDescriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!descriptor_.valid()) return systemStatus(code::kDeltaWrite, "open", errno);
    try {
        buffer_.reserve(kBufferBytes);
    } catch (const std::bad_alloc&) {
        return systemStatus(code::kDeltaWrite, "open", ENOMEM);
    }
    return {};
}

CallStatus DeltaFile::append(std::span<const char> bytes) noexcept {
    while (!bytes.empty()) {
        const std::size_t room = kBufferBytes - buffer_.size();
        const auto part = bytes.first(std::min(room, bytes.size()));
        buffer_.insert(buffer_.end(), part.begin(), part.end());  // never beyond the reserved capacity
        bytes = bytes.subspan(part.size());
        if (buffer_.size() == kBufferBytes) {
            if (const CallStatus written = writeBuffered(); !written.ok()) return written;
        }
    }
    return {};
}

CallStatus DeltaFile::writeBuffered() noexcept {
    std::span<const char> rest(buffer_);
    while (!rest.empty()) {
        const ssize_t written = ::write(descriptor_.get(), rest.data(), rest.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            return systemStatus(code::kDeltaWrite, "write", errno);
        }
        rest = rest.subspan(static_cast<std::size_t>(written));
    }
    buffer_.clear();
    return {};
}

CallStatus DeltaFile::finish() noexcept {
    if (const CallStatus written = writeBuffered(); !written.ok()) return written;
    if (::fsync(descriptor_.get()) != 0) return systemStatus(code::kDeltaWrite, "fsync", errno);
    return {};
}

void syncDirectory(const std::filesystem::path& directory, const char* code, Phase phase) {
    const FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.valid()) throw systemFailure(code, phase, "open", directory.string(), errno);
    if (::fsync(descriptor.get()) != 0) throw systemFailure(code, phase, "fsync", directory.string(), errno);
}

}  // namespace domino_vss::backup
