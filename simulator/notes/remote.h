#pragma once
// Databases opened through a server (`Server!!file`): the server process does the work.

#include "environment.h"
#include "page.h"
#include "paths.h"

namespace domino_sim {

/** Throws the status that the server returns, or kServerNotResponding. */
void remoteOpen(Environment& environment, const NetPath& path);
HeaderPage remoteHeader(Environment& environment, const NetPath& path);
void remoteSetInfo(Environment& environment, const NetPath& path, const char* info);
void remoteCreate(Environment& environment, const NetPath& path, bool force);
void remoteDelete(Environment& environment, const NetPath& path);
std::string remoteConsole(Environment& environment, const std::string& server, const std::string& command);

/** The server side: executes one `remote …` line and returns the answer. */
std::string answerRemote(Environment& environment, const std::string& line);

/** Whether a name given by a caller means this server: accepts `CN=Sim/O=Test` and `Sim/Test` in any case. */
bool isSameServer(std::string_view named, std::string_view actual);

/** Encodes one word of a protocol line as hexadecimal, so that it can contain any characters. */
std::string hexOf(std::string_view bytes);
std::string bytesOfHex(std::string_view hex);

}  // namespace domino_sim
