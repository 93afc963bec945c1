#include "system/file.h"

#include <utility>

namespace domino_vss {

File::File(File&& other) noexcept : handle_(std::exchange(other.handle_, kNone)) {}

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        close();
        handle_ = std::exchange(other.handle_, kNone);
    }
    return *this;
}

ReadResult readFully(File& file, std::span<char> buffer) noexcept {
    ReadResult result;
    while (result.bytes < buffer.size()) {
        const ReadResult piece = file.read(buffer.subspan(result.bytes));
        result.error = piece.error;
        result.bytes += piece.bytes;
        if (piece.error != 0 || piece.bytes == 0) break;
    }
    return result;
}

}  // namespace domino_vss
