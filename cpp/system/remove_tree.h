#pragma once

#include <string>

namespace domino_vss {

/// For tests: called with the path of each directory before it is entered.
using BeforeEntering = void (*)(const std::string& directory);

/// Removes a file, or a directory with its contents. Links are removed, never their targets: every directory is entered
/// through its handle, so an attacker gains nothing by replacing a directory with a link meanwhile. A missing `path`
/// counts as removed. Links in the parent of `path` are followed. Throws Failure with the given code.
void removeTree(const std::string& path, const char* failureCode, BeforeEntering beforeEntering = nullptr);

}  // namespace domino_vss
