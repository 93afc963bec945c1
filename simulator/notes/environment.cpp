#include "environment.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

constexpr const char* kIniName = "notes.ini";
constexpr const char* kLibraryName = "libnotes.so";

std::string environmentVariable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::vector<std::string> pathDirectories() {
    std::vector<std::string> result;
    const std::string path = environmentVariable("PATH");
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find(':', begin), path.size());
        if (end != begin) {
            result.push_back(path.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return result;
}

std::string findProgramDirectory(std::span<const std::string> arguments) {
    if (const std::string named = environmentVariable("Notes_ExecDirectory"); !named.empty()) {
        return named;
    }
    std::vector<std::string> candidates;
    if (!arguments.empty() && arguments.front().find('/') != std::string::npos) {
        candidates.push_back(fs::path(arguments.front()).parent_path().string());
    }
    for (const std::string& directory : pathDirectories()) {
        candidates.push_back(directory);
    }
    for (const std::string& directory : candidates) {
        std::error_code ignored;
        if (fs::exists(fs::path(directory) / kLibraryName, ignored)) {
            return directory;
        }
    }
    return {};
}

std::string findIni(std::span<const std::string> arguments, const std::string& programDirectory) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (i > 0 && argument.size() > 1 && argument.front() == '=') {
            const std::string named = argument.substr(1);
            // A bare name lies in the program directory.
            return named.find('/') != std::string::npos ? named : (fs::path(programDirectory) / named).string();
        }
    }
    std::vector<std::string> directories;
    if (!arguments.empty() && arguments.front().find('/') != std::string::npos) {
        directories.push_back(fs::path(arguments.front()).parent_path().string());
    }
    for (const std::string& directory : pathDirectories()) {
        directories.push_back(directory);
    }
    for (const std::string& directory : directories) {
        const fs::path candidate = fs::path(directory) / kIniName;
        std::error_code ignored;
        if (fs::is_regular_file(candidate, ignored)) {
            return candidate.string();
        }
    }
    throw StatusError(kNoNotesIni);
}

std::string withoutClosingSlash(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    return path;
}

}  // namespace

std::string Environment::serverName() const {
    return ini.find("ServerName").value_or("");
}

bool Environment::isInDataDirectory(const std::string& expandedPath) const {
    return expandedPath.size() > dataDirectory.size() && expandedPath.starts_with(dataDirectory) &&
           expandedPath[dataDirectory.size()] == '/';
}

std::unique_ptr<Environment> openEnvironment(std::span<const std::string> arguments, ProcessRole role) {
    const std::string programDirectory = findProgramDirectory(arguments);
    const std::string iniPath = findIni(arguments, programDirectory);
    auto ini = IniFile::read(iniPath);
    if (!ini) {
        throw StatusError(kNoNotesIni);
    }
    Settings settings(*ini);
    if (role == ProcessRole::api && platform::isSuperuser()) {
        if (!settings.isOn("SIM_ALLOW_ROOT"_setting)) {
            throw StatusError(kUserRoot);
        }
        if (!settings.isOn("SIM_QUIET"_setting)) {
            std::fputs("domino-vss-simulator: running as root because SIM_ALLOW_ROOT=1; a real server refuses this\n",
                       stderr);
        }
    }
    const std::string dataDirectory = ini->find("Directory").value_or("");
    std::error_code ignored;
    if (dataDirectory.empty() || !fs::is_directory(dataDirectory, ignored)) {
        throw StatusError(kSetupNotDone);
    }
    auto environment =
        std::make_unique<Environment>(Environment{iniPath, withoutClosingSlash(fs::absolute(dataDirectory).string()),
                                                  programDirectory, std::move(*ini), std::move(settings), nullptr});
    environment->partition =
        std::make_unique<Partition>(environment->dataDirectory, environmentVariable("SIM_SEPARATE_ENVIRONMENT") == "1");
    environment->settings.attach(environment->partition->layout().liveSettings);
    environment->partition->enroll(role);
    return environment;
}

}  // namespace domino_sim
