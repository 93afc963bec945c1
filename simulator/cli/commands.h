#pragma once
// The subcommands of domino-sim. Each returns the exit code.

#include <memory>
#include <string>
#include <vector>

#include "environment.h"

namespace domino_sim::cli {

int createCommand(const std::vector<std::string>& words);
int serveCommand(const std::vector<std::string>& words);
int verifyCommand(const std::vector<std::string>& words);
int setCommand(const std::vector<std::string>& words);
int faultCommand(const std::vector<std::string>& words);
int faultsCommand(const std::vector<std::string>& words);
int statsCommand(const std::vector<std::string>& words);
int settingsCommand(const std::vector<std::string>& words);
int restartServerStateCommand(const std::vector<std::string>& words);
int destroyCommand(const std::vector<std::string>& words);
int messagesCommand(const std::vector<std::string>& words);

/** The environment for a notes.ini. Throws UsageError. */
std::unique_ptr<Environment> environmentOf(const std::string& iniPath, ProcessRole role);

/** The report of `stats`, as a JSON object. */
std::string statsText(Environment& environment);

/** Clears what a server start clears; with `everything`, also what living processes hold. */
void clearServerState(Environment& environment, bool everything);

}  // namespace domino_sim::cli
