#include "engine/delta_file.h"

#include <algorithm>
#include <new>
#include <utility>

#include "system/system_error.h"

namespace domino_vss::engine {

namespace {
constexpr std::size_t kBufferBytes = std::size_t{1} << 20U;
}

DeltaFile::DeltaFile(std::string path) : path_(std::move(path)) {}

DeltaFile::~DeltaFile() {
    if (!file_.isOpen() || kept_) return;
    file_.close();
    removeFile(path_);
}

CallStatus DeltaFile::open() noexcept {
    if (const int error = file_.create(path_); error != 0) return systemStatus(code::kDeltaWrite, "open", error);
    try {
        buffer_.reserve(kBufferBytes);
    } catch (const std::bad_alloc&) {
        return systemStatus(code::kDeltaWrite, "open", systemErrorOf(std::errc::not_enough_memory));
    }
    return {};
}

CallStatus DeltaFile::append(std::span<const char> bytes) noexcept {
    while (!bytes.empty()) {
        const std::size_t room = kBufferBytes - buffer_.size();
        const auto part = bytes.first(std::min(room, bytes.size()));
        buffer_.insert(buffer_.end(), part.begin(), part.end());  // never exceeds the reserved capacity
        bytes = bytes.subspan(part.size());
        if (buffer_.size() == kBufferBytes) {
            if (const CallStatus written = writeBuffered(); !written.ok()) return written;
        }
    }
    return {};
}

CallStatus DeltaFile::writeBuffered() noexcept {
    if (const int error = file_.write(buffer_); error != 0) return systemStatus(code::kDeltaWrite, "write", error);
    buffer_.clear();
    return {};
}

CallStatus DeltaFile::finish() noexcept {
    if (const CallStatus written = writeBuffered(); !written.ok()) return written;
    if (const int error = file_.sync(); error != 0) return systemStatus(code::kDeltaWrite, "fsync", error);
    return {};
}

}  // namespace domino_vss::engine
