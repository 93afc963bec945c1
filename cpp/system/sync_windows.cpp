#include <windows.h>

#include <string>

#include "system/current_call.h"
#include "system/path.h"
#include "system/sync.h"
#include "system/system_error.h"
#include "system/volume.h"
#include "system/windows_resources.h"

namespace domino_vss {

namespace {

/// Flushing requires write access.
void flush(const std::wstring& path, Phase phase, const std::string& subject) {
    CurrentCall::note("FlushFileBuffers", subject);
    const unique_handle handle(
        validOrNull(::CreateFileW(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                  nullptr, OPEN_EXISTING, 0, nullptr)));
    if (!handle) throw systemFailure(code::kShadow, phase, "CreateFileW", subject, static_cast<int>(::GetLastError()));
    if (::FlushFileBuffers(handle.get()) == 0)
        throw systemFailure(code::kShadow, phase, "FlushFileBuffers", subject, static_cast<int>(::GetLastError()));
}

}  // namespace

void syncDirectory(const std::filesystem::path& /*directory*/, const char* /*code*/, Phase /*phase*/) {
    // NTFS and ReFS journal file names before contents, so a file that FlushFileBuffers made durable has its name.
}

void syncVolume(const std::string& directory, Phase phase) {
    std::wstring device = toUtf16(MountTable().volumeOf(directory).device);
    // With the trailing backslash, it would be the root directory.
    while (device.ends_with(L'\\')) device.pop_back();
    flush(device, phase, directory);
}

void syncTree(const std::string& directory, Phase phase) {
    std::error_code error;
    auto entry = std::filesystem::recursive_directory_iterator(pathOf(directory), error);
    for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
        if (std::error_code gone; entry->is_regular_file(gone))
            flush(entry->path().native(), phase, utf8Of(entry->path()));
    }
    if (error) throw systemFailure(code::kShadow, phase, "FindNextFileW", directory, systemErrorOf(error));
}

}  // namespace domino_vss
