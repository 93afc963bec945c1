#pragma once
// Resolves the path that a caller passes to a file: data directory, default extension, links, remote servers.

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

/** `port!server!!file` and shorter forms. Works for LMBCS and UTF-8. */
NetPath parseNetPath(std::string_view path);
std::string constructNetPath(const NetPath& path);

enum class PathKind { directory, database };

struct ResolvedPath {
    PathKind kind = PathKind::database;
    std::string canonical;  // as given, relative to the data directory; UTF-8
    std::string expanded;   // the file itself, with links resolved; UTF-8
};

/** Resolves a local path in UTF-8. Throws StatusError. */
ResolvedPath resolvePath(const Environment& environment, std::string_view path);

/** The target of a link file, if the content is that of a link. */
std::optional<std::string> readLink(const std::string& path);

/** Converts an LMBCS argument to UTF-8. Rejects strings longer than the API's paths. */
std::string pathArgument(const Environment& environment, const char* lmbcs);

/** Writes an LMBCS path to a buffer of the size that the API documents, truncated if necessary. */
void storePath(const Environment& environment, char* buffer, const std::string& utf8);

}  // namespace domino_sim
