#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "system/file.h"

namespace domino_vss {

namespace {

int descriptorOf(std::intptr_t handle) noexcept {
    return static_cast<int>(handle);
}

}  // namespace

int File::openForReading(const std::string& path) noexcept {
    close();
    // O_NONBLOCK: otherwise, opening a named pipe would block the thread until somebody writes to it.
    handle_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (!isOpen()) return errno;
    struct stat found {};
    if (::fstat(descriptorOf(handle_), &found) != 0 || !S_ISREG(found.st_mode)) {
        close();
        return EINVAL;
    }
    static_cast<void>(::posix_fadvise(descriptorOf(handle_), 0, 0, POSIX_FADV_SEQUENTIAL));
    return 0;
}

int File::create(const std::string& path) noexcept {
    close();
    handle_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (!isOpen()) return errno;
    // Whatever the umask of the program is. A file system without modes may refuse it.
    static_cast<void>(::fchmod(descriptorOf(handle_), S_IRUSR | S_IWUSR));
    return 0;
}

void File::close() noexcept {
    if (isOpen()) ::close(descriptorOf(std::exchange(handle_, kNone)));
}

ReadResult File::read(std::span<char> buffer) noexcept {
    for (;;) {
        const ssize_t got = ::read(descriptorOf(handle_), buffer.data(), buffer.size());
        if (got >= 0) return {static_cast<std::size_t>(got), 0};
        if (errno != EINTR) return {0, errno};
    }
}

int File::write(std::span<const char> bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptorOf(handle_), bytes.data(), bytes.size());
        if (written >= 0)
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        else if (errno != EINTR)
            return errno;
    }
    return 0;
}

std::uint64_t File::number() noexcept {
    struct stat found {};
    return ::fstat(descriptorOf(handle_), &found) == 0 ? found.st_ino : 0;
}

bool File::isSparse() noexcept {
    constexpr off_t kStatBlockBytes = 512;  // the unit of st_blocks, independent of st_blksize
    struct stat found {};
    return ::fstat(descriptorOf(handle_), &found) == 0 && found.st_blocks * kStatBlockBytes < found.st_size;
}

int File::allowHoles() noexcept {
    return 0;  // every file can have holes
}

int File::skip(std::size_t bytes) noexcept {
    return ::lseek(descriptorOf(handle_), static_cast<off_t>(bytes), SEEK_CUR) < 0 ? errno : 0;
}

int File::endHere() noexcept {
    const off_t position = ::lseek(descriptorOf(handle_), 0, SEEK_CUR);
    return position < 0 || ::ftruncate(descriptorOf(handle_), position) != 0 ? errno : 0;
}

int File::sync() noexcept {
    return ::fsync(descriptorOf(handle_)) == 0 ? 0 : errno;
}

void removeFile(const std::string& path) noexcept {
    ::unlink(path.c_str());
}

}  // namespace domino_vss
