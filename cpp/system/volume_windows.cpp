#include <windows.h>

#include <array>

#include "system/failure.h"
#include "system/file_system.h"
#include "system/path.h"
#include "system/volume.h"
#include "system/volume_name.h"

namespace domino_vss {

namespace {

Failure findFailure(const char* operation, const std::string& path) {
    return systemFailure(code::kFind, Phase::find, operation, path, static_cast<int>(::GetLastError()));
}

}  // namespace

MountTable::MountTable() = default;

Volume MountTable::volumeOf(const std::string& path) const {
    std::string resolved;
    if (const int error = resolvePath(path, resolved); error != 0)
        throw systemFailure(code::kFind, Phase::find, "GetFinalPathNameByHandleW", path, error);
    const std::wstring file = pathOf(resolved).native();
    std::wstring mountPoint(file.size() + 2, L'\0');
    if (::GetVolumePathNameW(file.c_str(), mountPoint.data(), static_cast<DWORD>(mountPoint.size())) == 0)
        throw findFailure("GetVolumePathNameW", path);
    mountPoint.resize(mountPoint.find(L'\0'));

    Volume volume;
    volume.path = utf8Of(mountPoint);
    volume.mountPoint = volume.path;
    // A volume that the mount manager does not know is named by its path.
    if (volumeNameOf(volume.path, volume.device) != 0) volume.device = volume.path;
    std::array<wchar_t, MAX_PATH + 1> fileSystem{};
    if (::GetVolumeInformationW(mountPoint.c_str(), nullptr, 0, nullptr, nullptr, nullptr, fileSystem.data(),
                                static_cast<DWORD>(fileSystem.size())) == 0)
        throw findFailure("GetVolumeInformationW", path);
    volume.fileSystem = toUtf8(fileSystem.data());
    ULARGE_INTEGER available{};
    if (::GetDiskFreeSpaceExW(mountPoint.c_str(), &available, nullptr, nullptr) != 0)
        volume.freeBytes = available.QuadPart;
    return volume;
}

}  // namespace domino_vss
