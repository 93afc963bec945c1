#pragma once
// The Unix system under Wine: a file opened without sharing by a Windows program can only be copied from there.

#include <filesystem>
#include <string>
#include <string_view>

namespace vss_simulator {

/** The Unix name of a Windows path, without trailing slash; of a path that does not exist yet, too. */
std::string hostName(const std::filesystem::path& path);
/** The same, quoted for the shell. */
std::string hostQuoted(const std::filesystem::path& path);
std::string shellQuoted(std::string_view text);

/** Runs the lines with /bin/sh -e and waits for the end; throws when they fail. */
void runOnHost(const std::string& script);

}  // namespace vss_simulator
