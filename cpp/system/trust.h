#pragma once

#include <string>

namespace domino_vss {

// Whether ordinary users could have had their hands on what an elevated process relies on. Windows only. Both throw
// Failure with the code that is given when the access list cannot be read. Entries of the groups that everybody belongs
// to count; those of single accounts do not.

/// What of a path ordinary users can change: the file or directory itself by writing to it or into it, or a directory
/// above it by renaming it. Empty for nothing. The path is resolved.
[[nodiscard]] std::string openToOrdinaryUsers(const std::string& path, const char* failureCode);

/// Whether its owner, who may always change the access list, is somebody else than the system, administrators, and the
/// present user.
[[nodiscard]] bool ownedByOrdinaryUser(const std::string& path, const char* failureCode);

/// The present user as text, as access lists are written with it.
[[nodiscard]] std::wstring presentUserSid(const char* failureCode);

}  // namespace domino_vss
