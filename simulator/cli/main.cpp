#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "arguments.h"
#include "commands.h"
#include "line_server.h"

namespace {

using namespace domino_sim::cli;

constexpr int kExitUsage = 2;

constexpr const char* kHelp = R"(domino-sim: a stand-in for a Domino server and its C API library

  create  --data DIR --program DIR --databases N [--pages MIN:MAX] [--seed S] [--log circular|linear|archive|none]
          [--unlogged-share 0.2] [--links] [--plain-names] [--ini FILE] [--set SIM_…=VALUE]…
  serve   --ini FILE --log DIR [--threads N] [--rate TRANSACTIONS_PER_SECOND (0 = as fast as it can)]
          [--databases GLOB] [--second-process] [--seed S] [--paused]
          Then lines on stdin or on the partition's socket: pause | resume | run DB N | hold DB K | release DB |
          compact DB MS (0 = until compact-end DB) | compact-copy DB | fixup DB | dbcache-flush | stats | stop.
          Each is answered by one JSON line.
  verify  --log DIR [--json] [--sequence K] [--between T0:T1 | --not-before T0 | --not-after T1] [--files-from FILE|-]
          FILE…   times in CLOCK_MONOTONIC nanoseconds. Exit code 0: everything is as demanded
  set     --ini FILE SIM_…=VALUE…
  settings                       lists every setting with its default and meaning
  fault   --ini FILE CALL[:nth[+]][@glob]=0xCODE|hang[:ms]|die[,after]…
  faults  --ini FILE [--clear]
  stats   --ini FILE [--json]
  restart-server-state --ini FILE
  destroy --data DIR             removes the shared memory of that data directory
)";

struct Command {
    const char* name;
    int (*run)(const std::vector<std::string>& words);
};

constexpr Command kCommands[] = {
    {"create", createCommand},   {"serve", serveCommand},       {"verify", verifyCommand},
    {"set", setCommand},         {"settings", settingsCommand}, {"fault", faultCommand},
    {"faults", faultsCommand},   {"stats", statsCommand},       {"restart-server-state", restartServerStateCommand},
    {"destroy", destroyCommand}, {"messages", messagesCommand},
};

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words = domino_sim::platform::programArguments(argc, argv);
    words.erase(words.begin());
    if (words.empty() || words[0] == "--help" || words[0] == "help") {
        std::fputs(kHelp, stdout);
        return words.empty() ? kExitUsage : 0;
    }
    try {
        for (const Command& command : kCommands) {
            if (words[0] == command.name) {
                useBinaryStreams();
                return command.run({words.begin() + 1, words.end()});
            }
        }
        throw UsageError("unknown command " + words[0] + "; see domino-sim --help");
    } catch (const UsageError& error) {
        std::fprintf(stderr, "domino-sim: %s\n", error.what());
        return kExitUsage;
    } catch (const domino_sim::StatusError& error) {
        std::fprintf(stderr, "domino-sim: status 0x%04X\n", error.code());
        return 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "domino-sim: %s\n", error.what());
        return 1;
    }
}
