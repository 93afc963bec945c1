#include "remote.h"

#include <cstdlib>
#include <cstring>
#include <sstream>

#include "create.h"
#include "database.h"

namespace domino_sim {

namespace {

constexpr const char* kOk = "ok";
constexpr const char* kRefused = "status";

/** Brings `CN=Sim/O=Test` and `Sim/Test` into the same form. */
std::string abbreviated(std::string_view name) {
    std::string result;
    while (!name.empty()) {
        const auto slash = name.find('/');
        std::string_view part = name.substr(0, slash);
        if (const auto equals = part.find('='); equals != std::string_view::npos) {
            part = part.substr(equals + 1);
        }
        result += (result.empty() ? "" : "/") + std::string(part);
        name = slash == std::string_view::npos ? std::string_view() : name.substr(slash + 1);
    }
    return result;
}

std::string ask(Environment& environment, const std::string& server, const std::string& line) {
    if (!isSameServer(server, environment.serverName())) {
        throw StatusError(kServerNotResponding);
    }
    const auto answer = platform::askServer(environment.partition->serverAddress(), "remote " + line);
    if (!answer) {
        throw StatusError(kServerNotResponding);
    }
    std::istringstream words(*answer);
    std::string first;
    std::string second;
    words >> first >> second;
    if (first == kRefused) {
        throw StatusError(static_cast<Status>(std::strtoul(second.c_str(), nullptr, 16)));
    }
    return bytesOfHex(second);
}

}  // namespace

bool isSameServer(std::string_view named, std::string_view actual) {
    return !actual.empty() && equalIgnoringCase(abbreviated(named), abbreviated(actual));
}

std::string hexOf(std::string_view bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string result;
    for (const char c : bytes) {
        result += kDigits[static_cast<unsigned char>(c) >> 4];
        result += kDigits[static_cast<unsigned char>(c) & 15];
    }
    return result;
}

std::string bytesOfHex(std::string_view hex) {
    std::string result;
    for (std::size_t at = 0; at + 1 < hex.size(); at += 2) {
        result += static_cast<char>(std::strtoul(std::string(hex.substr(at, 2)).c_str(), nullptr, 16));
    }
    return result;
}

void remoteOpen(Environment& environment, const NetPath& path) {
    ask(environment, path.server, "open " + hexOf(path.file));
}

HeaderPage remoteHeader(Environment& environment, const NetPath& path) {
    const std::string bytes = ask(environment, path.server, "header " + hexOf(path.file));
    HeaderPage header{};
    if (bytes.size() != sizeof header) {
        throw StatusError(kServerNotResponding);
    }
    std::memcpy(&header, bytes.data(), sizeof header);
    return header;
}

void remoteSetInfo(Environment& environment, const NetPath& path, const char* info) {
    ask(environment, path.server, "info " + hexOf(path.file) + " " + hexOf({info, kInfoBytes}));
}

void remoteCreate(Environment& environment, const NetPath& path, bool force) {
    ask(environment, path.server, "create " + hexOf(path.file) + (force ? " force" : ""));
}

void remoteDelete(Environment& environment, const NetPath& path) {
    ask(environment, path.server, "delete " + hexOf(path.file));
}

std::string remoteConsole(Environment& environment, const std::string& server, const std::string& command) {
    return ask(environment, server, "console " + hexOf(command));
}

std::string answerRemote(Environment& environment, const std::string& line) {
    std::istringstream words(line);
    std::string operation;
    std::string argument;
    std::string option;
    words >> operation >> argument >> option;
    const std::string path = bytesOfHex(argument);
    try {
        std::string result;
        if (operation == "console") {
            result = "> " + path + "\n";
        } else if (operation == "create") {
            createDatabase(environment, path, option == "force");
        } else if (operation == "delete") {
            deleteDatabase(environment, path);
        } else {
            const ResolvedPath resolved = resolvePath(environment, path);
            if (resolved.kind == PathKind::directory) {
                throw StatusError(kNotNsf);
            }
            Database database(environment, resolved, OpenPurpose::user);
            if (operation == "info") {
                setInfo(database, bytesOfHex(option).c_str());
            } else if (operation == "header") {
                const HeaderPage header = database.readHeader();
                result.assign(reinterpret_cast<const char*>(&header), sizeof header);
            } else if (operation != "open") {
                throw StatusError(kServerNotResponding);
            }
        }
        return kOk + (" " + hexOf(result));
    } catch (...) {
        char text[32];
        std::snprintf(text, sizeof text, "%s %04x", kRefused, statusOfCurrentException());
        return text;
    }
}

}  // namespace domino_sim
