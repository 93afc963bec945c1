#include "paths.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "lmbcs.h"
#include "page.h"
#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

bool isDirectory(const std::string& path) {
    std::error_code ignored;
    return fs::is_directory(pathOf(path), ignored);
}

bool isFile(const std::string& path) {
    std::error_code ignored;
    return fs::is_regular_file(pathOf(path), ignored);
}

/** Follows directory links (`x.dir` instead of a missing `x`) in all components of the path. */
std::string followDirectoryLinks(const std::string& base, std::string_view relative) {
    std::string at = base;
    while (!relative.empty()) {
        const auto slash = relative.find(platform::kSeparator);
        const std::string part(relative.substr(0, slash));
        relative = slash == std::string_view::npos ? std::string_view() : relative.substr(slash + 1);
        if (part.empty() || part == ".") {
            continue;
        }
        std::string next = at + platform::kSeparator + part;
        const bool isLast = relative.empty();
        const std::string link = part.ends_with(".dir") ? next : next + ".dir";
        if (!isDirectory(next) && (!isLast || part.ends_with(".dir") || !isFile(next)) && isFile(link)) {
            const auto target = readLink(link);
            if (!target || !isDirectory(*target)) {
                throw StatusError(kLinkDestinationMissing);
            }
            next = *target;
        }
        at = next;
    }
    return at;
}

std::string relativeTo(const Environment& environment, const std::string& path) {
    return environment.isInDataDirectory(path) ? path.substr(environment.dataDirectory.size() + 1) : path;
}

}  // namespace

NetPath parseNetPath(std::string_view path) {
    NetPath result;
    const auto bangs = path.find("!!");
    if (bangs == std::string_view::npos) {
        result.file = path;
        return result;
    }
    std::string_view server = path.substr(0, bangs);
    result.file = path.substr(bangs + 2);
    if (const auto bang = server.find('!'); bang != std::string_view::npos) {
        result.port = server.substr(0, bang);
        server = server.substr(bang + 1);
    }
    result.server = server;
    return result;
}

std::string constructNetPath(const NetPath& path) {
    if (path.server.empty()) {
        return path.file;
    }
    return (path.port.empty() ? "" : path.port + "!") + path.server + "!!" + path.file;
}

std::optional<std::string> readLink(const std::string& path) {
    std::error_code error;
    if (const auto sizeBytes = fs::file_size(pathOf(path), error); error || sizeBytes >= kPageBytes) {
        return std::nullopt;
    }
    std::ifstream stream(pathOf(path), std::ios::binary);
    std::string line;
    if (!stream || !std::getline(stream, line)) {
        return std::nullopt;
    }
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
        line.pop_back();
    }
    return line.find('\0') == std::string::npos && pathOf(line).is_absolute()
               ? std::optional(platform::nativePath(line))
               : std::nullopt;
}

ResolvedPath resolvePath(const Environment& environment, std::string_view path) {
    std::string named = platform::nativePath(path);
    while (named.size() > 1 && named.ends_with(platform::kSeparator)) {
        named.pop_back();
    }
    if (named.empty()) {
        return {PathKind::directory, "", environment.dataDirectory};
    }
    // An absolute path into the data directory also goes through its links.
    const bool isAbsolute = pathOf(named).is_absolute();
    std::string canonical = isAbsolute ? relativeTo(environment, named) : named;
    if (platform::pathKey(named) == platform::pathKey(environment.dataDirectory)) {
        return {PathKind::directory, "", environment.dataDirectory};
    }
    const bool isOutside = pathOf(canonical).is_absolute();
    const std::string base = isOutside ? pathOf(canonical).root_name().string() : environment.dataDirectory;
    std::string expanded = followDirectoryLinks(base, isOutside ? canonical.substr(base.size()) : canonical);
    if (isDirectory(expanded)) {
        return {PathKind::directory, canonical, expanded};
    }
    if (!isFile(expanded) && pathOf(expanded).extension().empty()) {
        expanded += ".nsf";
        canonical += ".nsf";
    }
    if (!isFile(expanded)) {
        throw StatusError(kNoExist);
    }
    if (const auto target = readLink(expanded)) {
        if (!isFile(*target)) {
            throw StatusError(kLinkDestinationMissing);
        }
        expanded = *target;
    }
    return {PathKind::database, canonical, expanded};
}

/** Outside of the drives and shares of Windows, where Domino is not known to look. */
static bool namesDevice(const std::string& path) {
    return path.starts_with(R"(\\?\GLOBALROOT\)") || path.starts_with(R"(\\.\)");
}

std::string pathArgument(const Environment& environment, const char* lmbcs) {
    if (lmbcs == nullptr) {
        return {};
    }
    const auto limit = static_cast<std::size_t>(environment["SIM_MAX_PATH"_setting]);
    if (std::strlen(lmbcs) >= limit) {
        throw StatusError(kInvalidFileName);
    }
    std::string path = lmbcs::toUtf8(lmbcs);
    if (namesDevice(path) && environment.settings.is("SIM_DEVICE_PATHS"_setting, "refused")) {
        throw StatusError(kInvalidFileName);
    }
    return path;
}

void storePath(const Environment& environment, char* buffer, const std::string& utf8) {
    const std::string text = lmbcs::fromUtf8(utf8);
    const auto limit = static_cast<std::size_t>(environment["SIM_MAX_PATH"_setting]);
    const std::size_t length = std::min(text.size(), limit - 1);
    std::memcpy(buffer, text.data(), length);
    buffer[length] = 0;
}

}  // namespace domino_sim
