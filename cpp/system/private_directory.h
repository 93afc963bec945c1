#pragma once

#include <string>

namespace domino_vss {

/// Creates a directory that, with its contents, only the system and administrators can access. An existing directory is
/// accepted if no ordinary user owns it or can write to it. Windows only. Throws Failure ERR_STATE_DIRECTORY.
void makePrivateDirectory(const std::string& path);

/// Creates a directory that, with its contents, only the system, administrators and the current user can access. It
/// must not exist yet. Windows only. Throws Failure ERR_FILE_SYSTEM.
void createPrivateDirectory(const std::string& path);

}  // namespace domino_vss
