#pragma once

#include <string>

namespace domino_vss {

/// Makes a directory that is for the system and administrators only, with all that comes to lie in it. One that is
/// there already is accepted when no ordinary user can have made it or can write to it. Windows only. Throws Failure
/// ERR_STATE_DIRECTORY.
void makePrivateDirectory(const std::string& path);

/// Makes a directory for the system, administrators, and the user of this process, with all that comes to lie in it.
/// There must be none yet. Windows only. Throws Failure ERR_FILE_SYSTEM.
void createPrivateDirectory(const std::string& path);

}  // namespace domino_vss
