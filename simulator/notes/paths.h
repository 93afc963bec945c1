#pragma once
// From what a caller names to the file it means: data directory, default extension, links, remote servers.

#include <optional>
#include <string>
#include <string_view>

#include "environment.h"

namespace domino_sim {

struct NetPath {
    std::string port;
    std::string server;
    std::string file;
};

/** `port!server!!file` and shorter forms; works on LMBCS and UTF-8 alike. */
NetPath parseNetPath(std::string_view path);
std::string constructNetPath(const NetPath& path);

enum class PathKind { directory, database };

struct ResolvedPath {
    PathKind kind = PathKind::database;
    std::string canonical;  // as named, relative to the data directory; UTF-8
    std::string expanded;   // the file itself, links followed; UTF-8
};

/** Resolves a local path given in UTF-8. Throws StatusError. */
ResolvedPath resolvePath(const Environment& environment, std::string_view path);

/** Where a link file points to, if its content is that of one. */
std::optional<std::string> readLink(const std::string& path);

/** An LMBCS argument as UTF-8; refuses what is longer than the API's paths. */
std::string pathArgument(const Environment& environment, const char* lmbcs);

/** Writes an LMBCS path into a buffer of the size the API documents, cut where necessary. */
void storePath(const Environment& environment, char* buffer, const std::string& utf8);

}  // namespace domino_sim
