#pragma once
// Access to the Unix system below Wine, because only there can a file be copied that a Windows program opened without
// sharing.

#include <filesystem>
#include <string>
#include <string_view>

namespace vss_simulator {

/** The Unix name of a Windows path, without a trailing slash; the path need not exist. */
std::string hostName(const std::filesystem::path& path);
/** The same, quoted for the shell. */
std::string hostQuoted(const std::filesystem::path& path);
std::string shellQuoted(std::string_view text);

/** Runs the lines with /bin/sh -e and waits for the end. Throws if they fail. */
void runOnHost(const std::string& script);

}  // namespace vss_simulator
