#pragma once

#include <string>

namespace domino_vss {

/// For tests: called before a directory is entered, with its path.
using BeforeEntering = void (*)(const std::string& directory);

/// Removes a file, or a directory with all that is in it, and never what a link leads to: links themselves are removed.
/// Somebody who puts a link in the place of a directory meanwhile gains nothing by it, for every directory is entered
/// by its handle. What is not there counts as removed. Links on the way to `path` are followed. Throws Failure with the
/// code that is given.
void removeTree(const std::string& path, const char* failureCode, BeforeEntering beforeEntering = nullptr);

}  // namespace domino_vss
