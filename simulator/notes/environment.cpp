#include "environment.h"

#include <cstdio>
#include <filesystem>
#include <vector>

#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

constexpr const char* kIniName = "notes.ini";

std::string environmentVariable(const char* name) {
    return platform::environmentVariable(name).value_or("");
}

std::vector<std::string> pathDirectories() {
    std::vector<std::string> result;
    const std::string path = environmentVariable("PATH");
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find(platform::kListSeparator, begin), path.size());
        if (end != begin) {
            result.push_back(path.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return result;
}

/** The directory of argv[0], then the directories of PATH. */
std::vector<std::string> searchedDirectories(std::span<const std::string> arguments) {
    std::vector<std::string> result = pathDirectories();
    if (!arguments.empty() && pathOf(arguments.front()).has_parent_path()) {
        result.insert(result.begin(), pathOf(arguments.front()).parent_path().string());
    }
    return result;
}

std::string findProgramDirectory(std::span<const std::string> arguments) {
    if (const std::string named = environmentVariable("Notes_ExecDirectory"); !named.empty()) {
        return named;
    }
    for (const std::string& directory : searchedDirectories(arguments)) {
        std::error_code ignored;
        if (fs::exists(pathOf(directory) / platform::kLibraryName, ignored)) {
            return directory;
        }
    }
    return platform::loadedFromDirectory().value_or("");
}

std::string findIni(std::span<const std::string> arguments, const std::string& programDirectory) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (i > 0 && argument.size() > 1 && argument.front() == '=') {
            const std::string named = argument.substr(1);
            // A name without a directory is in the program directory.
            return pathOf(named).has_parent_path() ? named : (pathOf(programDirectory) / pathOf(named)).string();
        }
    }
    for (const std::string& directory : searchedDirectories(arguments)) {
        const fs::path candidate = pathOf(directory) / kIniName;
        std::error_code ignored;
        if (fs::is_regular_file(candidate, ignored)) {
            return candidate.string();
        }
    }
    throw StatusError(kNoNotesIni);
}

std::string withoutClosingSlash(std::string path) {
    while (path.size() > 1 && path.ends_with(platform::kSeparator)) {
        path.pop_back();
    }
    return path;
}

}  // namespace

std::string Environment::serverName() const {
    return ini.find("ServerName").value_or("");
}

bool Environment::isInDataDirectory(const std::string& expandedPath) const {
    return expandedPath.size() > dataDirectory.size() && expandedPath[dataDirectory.size()] == platform::kSeparator &&
           platform::pathKey(std::string_view(expandedPath).substr(0, dataDirectory.size())) ==
               platform::pathKey(dataDirectory);
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
    if (dataDirectory.empty() || !fs::is_directory(pathOf(dataDirectory), ignored)) {
        throw StatusError(kSetupNotDone);
    }
    auto environment = std::make_unique<Environment>(
        Environment{iniPath, withoutClosingSlash(platform::nativePath(fs::absolute(pathOf(dataDirectory)).string())),
                    programDirectory, std::move(*ini), std::move(settings), nullptr});
    environment->partition =
        std::make_unique<Partition>(environment->dataDirectory, environmentVariable("SIM_SEPARATE_ENVIRONMENT") == "1");
    environment->settings.attach(environment->partition->layout().liveSettings);
    environment->partition->enroll(role);
    return environment;
}

}  // namespace domino_sim
