#pragma once
// Databases opened through a server (`Server!!file`): the server process does the work.

#include "environment.h"
#include "page.h"
#include "paths.h"

namespace domino_sim {

/** Throws the status the server answers, or kServerNotResponding. */
void remoteOpen(Environment& environment, const NetPath& path);
HeaderPage remoteHeader(Environment& environment, const NetPath& path);
void remoteSetInfo(Environment& environment, const NetPath& path, const char* info);
void remoteCreate(Environment& environment, const NetPath& path, bool force);
void remoteDelete(Environment& environment, const NetPath& path);
std::string remoteConsole(Environment& environment, const std::string& server, const std::string& command);

/** The server's side: carries out one `remote …` line and returns the answering line. */
std::string answerRemote(Environment& environment, const std::string& line);

/** True when a name given by a caller means this server: `CN=Sim/O=Test`, `Sim/Test` and other cases alike. */
bool isSameServer(std::string_view named, std::string_view actual);

/** One word of a protocol line: hexadecimal, so that any name passes. */
std::string hexOf(std::string_view bytes);
std::string bytesOfHex(std::string_view hex);

}  // namespace domino_sim
