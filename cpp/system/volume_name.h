#pragma once

#include <windows.h>

#include <string>

namespace domino_vss {

// The unique name of a volume on Windows: `\\?\Volume{…}\`, or the root of a share. Not the serial number, which a
// cloned disk shares with its original. Functions that return `int` return the system's error number, 0 for success.
// Windows only.

/// The volume that contains an open file. If the mount manager does not know the volume (some RAM disks), this is the
/// name of its device.
[[nodiscard]] int volumeNameOf(HANDLE file, std::string& name);

/// The volume that contains a path: a volume name, a drive letter, a mount point, or any path below one.
[[nodiscard]] int volumeNameOf(const std::string& path, std::string& name);

/// The path of an open file, with links resolved. `form` is one of VOLUME_NAME_….
[[nodiscard]] int finalPathOf(HANDLE file, DWORD form, std::wstring& path);

}  // namespace domino_vss
