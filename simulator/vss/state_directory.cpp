#include "state_directory.h"

#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "settings.h"
#include "text.h"

namespace vss_simulator {

namespace {

File openShared(const std::filesystem::path& file) {
    return File(CreateFileW(file.c_str(), GENERIC_READ | GENERIC_WRITE,
                            FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_ALWAYS, 0, nullptr));
}

File lock(const std::filesystem::path& file, DWORD flags) {
    File opened = openShared(file);
    if (!opened.isOpen()) throw std::runtime_error("cannot open " + utf8(file.native()));
    OVERLAPPED from{};
    if (!LockFileEx(opened.get(), LOCKFILE_EXCLUSIVE_LOCK | flags, 0, 1, 0, &from)) return {};
    return opened;
}

}  // namespace

const std::filesystem::path& stateDirectory() {
    static const std::filesystem::path& directory = [&]() -> const std::filesystem::path& {
        std::filesystem::path path = utf16(settings().text("state", kDefaultState));
        std::filesystem::create_directories(path / L"shadows");
        std::filesystem::create_directories(path / L"host");
        // never destroyed: read by threads that live until the process ends
        return *std::make_unique<std::filesystem::path>(std::move(path)).release();
    }();
    return directory;
}

File lockFile(const std::filesystem::path& file) {
    return lock(file, 0);
}

File tryLockFile(const std::filesystem::path& file) {
    return lock(file, LOCKFILE_FAIL_IMMEDIATELY);
}

File ownFile(const std::filesystem::path& file) {
    File owned(CreateFileW(file.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, nullptr));
    if (!owned.isOpen()) throw std::runtime_error("cannot own " + utf8(file.native()));
    return owned;
}

bool isOwned(const std::filesystem::path& file) {
    const File other(CreateFileW(file.c_str(), GENERIC_READ, 0, nullptr, OPEN_EXISTING, 0, nullptr));
    return !other.isOpen() && GetLastError() == ERROR_SHARING_VIOLATION;
}

bool lockByteExclusively(const File& file, DWORD offset, DWORD milliseconds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (true) {
        OVERLAPPED from{};
        from.Offset = offset;
        if (LockFileEx(file.get(), LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &from)) return true;
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

}  // namespace vss_simulator
