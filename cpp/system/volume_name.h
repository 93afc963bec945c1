#pragma once

#include <windows.h>

#include <string>

namespace domino_vss {

// The one name of a volume on Windows: `\\?\Volume{…}\`, or the root of a share. Never its serial number, which a
// cloned disk has in common with its original. An `int` is the system's error number, 0 for success. Windows only.

/// Of the volume that an open file lies on. One that the mount manager does not know, such as some RAM disks, has the
/// name of its device.
[[nodiscard]] int volumeNameOf(HANDLE file, std::string& name);

/// Of the volume that a path lies on: a volume's name, a letter, a mount point, or any path below one.
[[nodiscard]] int volumeNameOf(const std::string& path, std::string& name);

/// The path of an open file, without links in it. `form` is one of VOLUME_NAME_….
[[nodiscard]] int finalPathOf(HANDLE file, DWORD form, std::wstring& path);

}  // namespace domino_vss
