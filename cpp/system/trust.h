#pragma once

#include <string>

namespace domino_vss {

// Whether ordinary users could have changed something that an elevated process relies on. Windows only. The functions
// throw Failure with the given code if an access list cannot be read. Entries for groups that all users belong to
// count; entries for single accounts do not.

/// Which part of a path ordinary users can change: the file or directory itself (write access), or a directory above it
/// (renaming). Empty if none. The path is resolved first.
[[nodiscard]] std::string openToOrdinaryUsers(const std::string& path, const char* failureCode);

/// Whether the owner, who can always change the access list, is not the system, an administrator or the current user.
[[nodiscard]] bool ownedByOrdinaryUser(const std::string& path, const char* failureCode);

/// The SID of the current user as text, as used in access lists.
[[nodiscard]] std::wstring presentUserSid(const char* failureCode);

}  // namespace domino_vss
